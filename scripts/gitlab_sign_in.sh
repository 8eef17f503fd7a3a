#!/usr/bin/env bash
# gitlab_sign_in.sh: a credential file of workload identity federation from the job's ID token, for Google's libraries
# and for gcloud, whose credential gke-gcloud-auth-plugin hands to a cluster.
#
# Wants GOOGLE_ID_TOKEN (id_tokens of the job), WORKLOAD_IDENTITY_PROVIDER and SERVICE_ACCOUNT. Writes below the job's
# own temporary folder; later lines of the job find it by GOOGLE_APPLICATION_CREDENTIALS, set as a CI variable.
set -euo pipefail
: "${GOOGLE_ID_TOKEN:?}" "${WORKLOAD_IDENTITY_PROVIDER:?}" "${SERVICE_ACCOUNT:?}" "${GOOGLE_APPLICATION_CREDENTIALS:?}"
for tool in gcloud gke-gcloud-auth-plugin; do
  command -v "$tool" >/dev/null || { echo "the job's image has no $tool, without which no cluster answers" >&2; exit 1; }
done
umask 077
printf '%s' "$GOOGLE_ID_TOKEN" > "$GOOGLE_APPLICATION_CREDENTIALS.token"
cat > "$GOOGLE_APPLICATION_CREDENTIALS" <<JSON
{
  "type": "external_account",
  "audience": "//iam.googleapis.com/$WORKLOAD_IDENTITY_PROVIDER",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.googleapis.com/v1/token",
  "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/$SERVICE_ACCOUNT:generateAccessToken",
  "credential_source": {"file": "$GOOGLE_APPLICATION_CREDENTIALS.token"}
}
JSON
gcloud auth login --brief --quiet --cred-file="$GOOGLE_APPLICATION_CREDENTIALS"
