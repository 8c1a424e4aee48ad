"""The store in MongoDB: the truth on a server, with a replica of the catalog beside each process."""
