"""What TypeScript would know of the Pulumi package `langgraph`: declarations made of its schema."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def declarations(schema: Json) -> str:
    """An `index.d.ts` with the classes, arguments and nested types that Pulumi's own generator would make."""
    parts = ['import * as pulumi from "@pulumi/pulumi";']
    parts += [_type(token, kind) for token, kind in schema["types"].items()]
    for token, resource in schema["resources"].items():
        parts += [_arguments(token, resource), _class(token, resource)]
    return "\n".join(parts) + "\n"


def _name(token: str) -> str:
    return token.rpartition(":")[2]


def _type(token: str, kind: Json) -> str:
    if "enum" in kind:
        values = " | ".join(f'"{one["value"]}"' for one in kind["enum"])
        return f"export type {_name(token)} = {values};"
    return _interface(_name(token), kind["properties"], kind.get("required", ()))


def _arguments(token: str, resource: Json) -> str:
    required = resource.get("requiredInputs", ())
    return _interface(f"{_name(token)}Args", resource["inputProperties"], required)


def _interface(name: str, properties: Json, required: Any) -> str:
    fields = [
        f"    {field}{'' if field in required else '?'}: {_given(form)};"
        for field, form in properties.items()
    ]
    return "\n".join([f"export interface {name} {{", *fields, "}"])


def _class(token: str, resource: Json) -> str:
    name, required = _name(token), resource.get("required", ())
    fields = [
        f"    readonly {field}: pulumi.Output<{_form(form)}{'' if field in required else ' | undefined'}>;"
        for field, form in resource["properties"].items()
    ]
    needed = "" if resource.get("requiredInputs") else "?"
    made = f"    constructor(name: string, args{needed}: {name}Args, opts?: pulumi.ComponentResourceOptions);"
    return "\n".join([f"export class {name} extends pulumi.ComponentResource {{", *fields, made, "}"])


def _given(form: Json) -> str:
    """What may be given: a plain one has to be known already."""
    return _form(form) if form.get("plain") else f"pulumi.Input<{_form(form)}>"


def _form(form: Json) -> str:
    if "$ref" in form:
        return _name(form["$ref"])
    if form["type"] == "array":
        return f"Array<{_given(form['items'])}>"
    if form["type"] == "object":
        return f"{{ [key: string]: {_given(form['additionalProperties'])} }}"
    return _PLAIN[form["type"]]
