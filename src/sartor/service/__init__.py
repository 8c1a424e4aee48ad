"""The REST service and the storefront: parse, call, present."""
