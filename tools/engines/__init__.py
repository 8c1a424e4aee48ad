"""Servers that the tests start as processes: SecantusDB in place of MongoDB, versitygw in place of S3."""
