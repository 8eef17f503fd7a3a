"""The Pulumi components: each takes one plan value and makes resources, and imports no other component."""
