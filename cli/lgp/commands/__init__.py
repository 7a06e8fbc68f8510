"""One function a verb; `lgp.main` imports only the module of the verb that is asked for."""
