"""What the suites are made of: configuration, people, requests, the API's contract, and the reports.

Takes the address of a deployed environment and its Cognito ids; gives test results. Knows nothing of the tool
`manuel_release` and nothing of where the environment runs.
"""
