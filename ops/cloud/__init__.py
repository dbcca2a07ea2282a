"""`inv cloud.…`: the service on AWS, described by terraform/ and released from this checkout."""
