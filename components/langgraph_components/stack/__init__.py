"""What a platform stands on: AWS, or a cluster that is there. Both hand the same things to the workload."""
