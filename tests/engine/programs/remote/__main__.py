"""Keys from the plugin: the program imports nothing of the components, it knows the names of their schema."""

import pulumi


class Encryption(pulumi.ComponentResource):
    """What a generated SDK would be; outputs have the names of the schema."""

    def __init__(self, name: str, props: dict[str, object]) -> None:
        super().__init__("langgraph:index:Encryption", name, {**props, "dataKeyArn": None}, None, remote=True)


days = pulumi.Config().require_int("days")
keys = Encryption("keys", {"accountId": "123456789012", "region": "eu-west-1", "deletionWindowDays": days})
pulumi.export("key", vars(keys)["dataKeyArn"])
