"""The command line of the self-hosted LangGraph platform."""
