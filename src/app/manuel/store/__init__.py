"""What the service keeps in AWS and reads from elsewhere; the only package here that imports boto3."""
