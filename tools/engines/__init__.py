"""Servers that the tests run against, started as processes of their own: SecantusDB in place of MongoDB, versitygw of S3."""
