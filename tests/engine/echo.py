# ruff: noqa: N802
# reason: the methods have the names of the provider protocol
"""A resource provider without a cloud: what it is given it gives back, what only a cloud knows it makes up.

`python -m engine.echo PACKAGE VERSION` serves one package to the engine on a port of 127.0.0.1, which it
prints, as every Pulumi plugin does. It keeps nothing: the stack's state is the only memory, so a copied state
is a copied world.

Harder than a cloud in three places, on purpose:
- a call (`get_region()` and its like) fails: the graph is built without asking anybody;
- a change that may replace a resource does replace it;
- deletion takes a moment, so that an order that is right only by luck is wrong in some run.
"""

import sys
import time
from concurrent import futures
from typing import Any
from uuid import uuid4

import grpc
from engine.echo_outputs import is_regional, outputs_of, replacing
from google.protobuf import empty_pb2, json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

DELETE_SECONDS = 0.05
"""Seconds a deletion takes: more than the engine needs to start the next one."""

Properties = dict[str, Any]


def plain(struct: Struct) -> Properties:
    """Properties as the wire has them: secrets stay wrapped in their signature, unknowns stay sentinels."""
    return json_format.MessageToDict(struct)


def wire(properties: Properties) -> Struct:
    """The other direction."""
    return json_format.ParseDict(properties, Struct())


def type_of(urn: str) -> str:
    """`urn:pulumi:dev::project::langgraph:index:Network$aws:ec2/vpc:Vpc::network` → `aws:ec2/vpc:Vpc`."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The logical name in a URN."""
    return urn.split("::", 3)[3]


def changed(olds: Properties, news: Properties) -> list[str]:
    """The inputs that differ, in order; what starts with two underscores belongs to the engine."""
    keys = {key for key in olds.keys() | news.keys() if not key.startswith("__")}
    return sorted(key for key in keys if olds.get(key) != news.get(key))


class EchoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider protocol, as far as the engine uses it for a program of plain resources."""

    def __init__(self, package: str, version: str) -> None:
        self.package = package
        self.version = version
        self.region = "eu-west-1"

    def Handshake(self, request, context):
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True
        )

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version=self.version)

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        # A kubernetes provider is replaced, and all its objects with it, only if it means another cluster.
        keys = changed(plain(request.olds), plain(request.news))
        forced = [key for key in keys if key == "clusterIdentifier"]
        return self._diff(keys, forced)

    def Configure(self, request, context):
        self.region = plain(request.args).get("region") or self.region
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True
        )

    def Check(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        olds, news = plain(request.old_inputs), plain(request.news)
        type_, old_region = type_of(request.urn), plain(request.olds).get("region")
        moved = ["region"] if is_regional(type_) and old_region != self.region else []
        return self._diff(sorted({*changed(olds, news), *moved}), [*replacing(type_, olds, news), *moved])

    @staticmethod
    def _diff(keys: list[str], forced: list[str]):
        kinds = provider_pb2.PropertyDiff
        detailed = {
            key: kinds(kind=kinds.UPDATE_REPLACE if key in forced else kinds.UPDATE, inputDiff=True)
            for key in keys
        }
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if keys else none,
            diffs=keys,
            replaces=forced,
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    def Create(self, request, context):
        if request.preview:  # what is missing is unknown to the program, as with a real provider
            return provider_pb2.CreateResponse(properties=request.properties)
        identity = f"{name_of(request.urn)}-{uuid4().hex[:8]}"
        properties = outputs_of(type_of(request.urn), identity, plain(request.properties), self.region)
        return provider_pb2.CreateResponse(id=identity, properties=wire(properties))

    def Read(self, request, context):
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request, context):
        properties = outputs_of(type_of(request.urn), request.id, plain(request.news), self.region)
        return provider_pb2.UpdateResponse(properties=wire(properties))

    def Delete(self, request, context):
        time.sleep(DELETE_SECONDS)
        return empty_pb2.Empty()

    def Invoke(self, request, context):
        context.abort(
            grpc.StatusCode.FAILED_PRECONDITION, f"{request.tok}: the graph is built without any call"
        )

    def Cancel(self, request, context):
        return empty_pb2.Empty()

    def Attach(self, request, context):
        return empty_pb2.Empty()


def serve(package: str, version: str) -> None:
    """Serve until the engine ends the process."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(EchoProvider(package, version), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
