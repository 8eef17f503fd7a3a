"""l4serve dashboard: the Cloud Monitoring dashboard of a stack."""

import json

from cli.errors import print_notes
from cli.stacks import FileOption, StackOption, load_plan
from components.planning.dashboard_plan import dashboard_definition


def dashboard(stack: StackOption = None, file: FileOption = None) -> None:
    """Print the dashboard of a stack's workloads as JSON, as `gcloud monitoring dashboards create` takes it."""
    plan = load_plan(stack, file)
    print_notes(plan)
    definition = dashboard_definition(
        plan.stack, cluster=plan.cluster.name, namespace=plan.namespace, workloads=plan.workloads
    )
    print(json.dumps(definition, indent=2))
