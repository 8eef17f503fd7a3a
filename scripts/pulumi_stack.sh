#!/usr/bin/env bash
# pulumi_stack.sh preview|up|drift: one command of the Pulumi CLI on the stack $STACK, as the workflows run it.
# pulumi_stack.sh preview-of FILE: the preview, where the difference in FILE (of `l4serve diff --json`) touches the stack.
#
# Wants PULUMI_BACKEND_URL, GOOGLE_CLOUD_PROJECT and PULUMI_CONFIG_PASSPHRASE. A preview and an update make the same
# config of the same variables, so that a preview shows what the update would do: without HF_TOKEN neither has a token,
# and a stack with gated models is refused by both in place of getting a Secret that holds none.
set -euo pipefail
: "${STACK:?names the stack}" "${GOOGLE_CLOUD_PROJECT:?names the Google Cloud project}"
if [ "${1:-}" = preview-of ]; then
  touched=$("${PYTHON:-.venv/bin/python}" -m scripts.pr_comment stacks "${2:?names the difference}" "$STACK")
  if [ "$touched" = "[]" ]; then
    echo "the change does not touch stack $STACK"
    exit 0
  fi
  set -- preview
fi
pulumi stack select "$STACK"
pulumi config set gcp:project "$GOOGLE_CLOUD_PROJECT"
if [ -n "${HF_TOKEN:-}" ]; then
  printf '%s' "$HF_TOKEN" | pulumi config set --secret hfToken
fi
case ${1:-} in
  preview) pulumi preview --non-interactive --diff --policy-pack policy ;;
  up) pulumi up --non-interactive --yes --policy-pack policy ;;
  drift) pulumi preview --non-interactive --refresh --diff --expect-no-changes ;;
  *) echo "usage: pulumi_stack.sh preview|preview-of FILE|up|drift" >&2; exit 2 ;;
esac
