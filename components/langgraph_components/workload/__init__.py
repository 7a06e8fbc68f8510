"""What `AgentWorkload` declares, one module for each concern."""
