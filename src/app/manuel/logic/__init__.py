"""The rules of the service: no AWS, no HTTP, no clock of their own."""
