"""l4serve dashboard: the Cloud Monitoring dashboard of a stack."""

from l4serve.cli.shell.messages import print_notes
from l4serve.cli.shell.output import print_json
from l4serve.cli.subjects.stack_options import FileOption, StackOption, load_plan
from l4serve.planning.stack.dashboard_definition import dashboard_definition


def dashboard(stack: StackOption = None, file: FileOption = None) -> None:
    """Print the dashboard of a stack's workloads as JSON, as `gcloud monitoring dashboards create` takes it."""
    plan = load_plan(stack, file)
    print_notes(plan)
    definition = dashboard_definition(
        plan.stack, cluster=plan.cluster.name, namespace=plan.namespace, workloads=plan.workloads
    )
    print_json(definition)
