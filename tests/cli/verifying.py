"""How the tests of `l4serve verify` call it, and the stacks and kubeconfigs that they call it with."""

import typer
from typer.testing import CliRunner

from l4serve.cli.commands.verify_command import verify
from tests import factories
from tests.verification.conftest import LIMIT, MODEL

app = typer.Typer()
app.command()(verify)


def run(*args, env=None):
    return CliRunner().invoke(app, [str(arg) for arg in args], env={"COLUMNS": "200", **(env or {})})


def stack_file(folder, cluster, engine=None, **workload):
    engine = engine or {"maxModelLen": LIMIT, "servedModelName": [MODEL]}
    serving = factories.serving({"w": factories.workload(engine=engine, **workload)}, cluster=cluster, namespace="llm")
    return factories.write_stack(folder, serving, name="some")


def kubeconfig(url, secret="s3cret-bearer"):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": secret}}],
    }
