"""EC2 in one region, by boto3. Only this package knows boto3."""
