"""Validation against the JSON schemas in workflow/schemas, with defaults and clear messages.

Three words go beyond JSON schema. `x-plugin: {kind, by}` adds the options of the plug-in that an
entry names: by a key of the entry (`by: source`), by its own key (`by: "@key"`) or by a key of the
whole document (`by: /engine/train`). `x-schema: module:NAME` takes a schema from a module.
`x-changes: key` takes the keys of a key of the study, without defaults: what is given changes it.
"""

from __future__ import annotations

import copy
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.core import plugins
from limr.core.errors import InputError, nearest

if TYPE_CHECKING:  # loaded where something is to be validated: `limr score` mostly needs none
    from jsonschema.exceptions import ValidationError

Json = dict[str, Any]
SCHEMAS = Path(__file__).parents[3] / "schemas"
_NUMBER = ("integer", "number")


@cache
def load(name: str) -> Json:
    """Return the schema `workflow/schemas/{name}.schema.yaml`, its `$ref`s resolved."""
    import yaml

    schema: Json = yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"))
    resolved: Json = _inline(schema, schema.get("$defs", {}))
    return resolved


def _inline(node: Any, definitions: Json) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inline(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
        return {key: _inline(value, definitions) for key, value in node.items() if key != "$defs"}
    return [_inline(item, definitions) for item in node] if isinstance(node, list) else node


def complete(value: Any, schema: Json, where: str) -> Any:
    """Return a copy of `value` with the schema's defaults filled in, or refuse it.

    Args:
        value: the document, as YAML or JSON gave it.
        schema: see the module's docstring.
        where: what the document is, for messages, e.g. `config/demo.yaml`.

    Raises:
        InputError: a key is unknown, missing, of a wrong type or out of range.
    """
    completed, concrete = _specialise(copy.deepcopy(value), schema, value, None, where)
    if value == {} and not concrete.get("required"):
        return completed  # nothing but defaults
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import relevance

    errors = list(Draft202012Validator(concrete).iter_errors(completed))
    if errors:
        # An unknown key is usually the cause of a missing one: say it first.
        errors.sort(key=lambda e: (e.validator != "additionalProperties", relevance(e)))
        more = f" ({len(errors) - 1} more after this one)" if len(errors) > 1 else ""
        raise InputError(f"{where}: {_message(errors[0])}{more}")
    return completed


def _specialise(value: Any, schema: Json, root: Any, key: str | None, where: str) -> Any:
    """Return `value` with defaults and `schema` with the options of the plug-ins it names."""
    schema = _with_plugin(schema, value, root, key, where)
    if schema.get("type") == "array" and isinstance(value, list) and "items" in schema:
        pairs = [_specialise(item, schema["items"], root, None, where) for item in value]
        return [item for item, _ in pairs], schema
    if schema.get("type") != "object" or not isinstance(value, dict):
        return value, schema
    properties = dict(schema.get("properties", {}))
    others = schema.get("additionalProperties")
    for name, part in properties.items():
        if name not in value and "default" in part:
            value[name] = copy.deepcopy(part["default"])
    for name in value:
        part = properties.get(name, others)
        if isinstance(part, dict):
            if value[name] is None and part.get("default") == {}:
                value[name] = {}  # `accuracy:` alone in YAML means no options
            value[name], properties[name] = _specialise(value[name], part, root, str(name), where)
    # In the schema's order, so that the order in a file is no change to whoever compares settings;
    # what the user names (arms, scores) keeps the user's order.
    order = [name for name in schema.get("properties", {}) if name in value]
    order += [name for name in value if name not in order]
    return {name: value[name] for name in order}, {**schema, "properties": properties}


def _with_plugin(schema: Json, value: Any, root: Any, key: str | None, where: str) -> Json:
    if "x-schema" in schema:
        module, name = schema["x-schema"].split(":")
        return _merged(schema, getattr(importlib.import_module(module), name))
    if "x-changes" in schema:
        return _merged(schema, _changes(load("study")["properties"][schema["x-changes"]]))
    if "x-plugin" not in schema or not isinstance(value, dict):
        return schema
    plugin = schema["x-plugin"]
    name = _plugin_name(plugin["by"], value, root, key, schema)
    if not isinstance(name, str):
        return schema  # a missing or mistyped name is the validator's to report
    try:
        module_ = plugins.load(plugin["kind"], name)
    except InputError as error:
        at = f"{key}: " if key and key != name else ""
        raise InputError(f"{where}: {at}{error}") from None
    return _merged(schema, getattr(module_, plugin.get("schema", "OPTIONS")))


def _plugin_name(by: str, value: Json, root: Any, key: str | None, schema: Json) -> Any:
    if by == "@key":
        return key
    if not by.startswith("/"):
        return value.get(by, schema.get("properties", {}).get(by, {}).get("default"))
    node = root
    default = load("study")
    for part in by.strip("/").split("/"):
        default = default["properties"][part]
        node = node.get(part) if isinstance(node, dict) else None
    return default.get("default") if node is None else node


def _changes(schema: Json) -> Json:
    """Return a schema of the same keys, none of which has a default."""
    properties = {
        name: {word: value for word, value in part.items() if word != "default"}
        for name, part in schema["properties"].items()
    }
    return {"properties": properties}


def _merged(schema: Json, options: Json) -> Json:
    """Return `schema` with the keys of a plug-in's `options` beside its own."""
    properties = {**schema.get("properties", {}), **options.get("properties", {})}
    required = [*schema.get("required", []), *options.get("required", [])]
    return {**schema, "properties": properties, "required": required}


def _message(error: ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    at = f"'{path}'" if path else "the document"
    instance: Any = error.instance
    schema: Any = error.schema
    wanted: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        unknown = next(name for name in instance if name not in known)
        key = f"{path}.{unknown}" if path else str(unknown)
        return f"'{key}' is not a key.{nearest(str(unknown), known)}"
    if error.validator == "required":
        missing = next(name for name in wanted if name not in instance)
        return f"{at} lacks the key '{missing}'."
    if error.validator == "enum":
        choices = [str(choice) for choice in wanted]
        return f"{at} is '{instance}'.{nearest(str(instance), choices)}"
    if error.validator == "uniqueItems":
        doubled = next(item for i, item in enumerate(instance) if item in instance[:i])
        return f"{at} has {doubled!r} twice. Give each value once."
    if error.validator == "type":
        return f"{at} must be {_types(wanted)}, found {instance!r}.{_yaml(error)}"
    if error.validator == "pattern":
        return f"{at}: {instance!r} may hold only lower-case letters, digits, '-' and '_'."
    return f"{at}: {error.message}."


def _types(expected: str | list[str]) -> str:
    names = {"integer": "a whole number", "number": "a number", "string": "a text"}
    names |= {"array": "a list", "object": "a mapping", "boolean": "true or false", "null": "null"}
    kinds = [expected] if isinstance(expected, str) else expected
    return " or ".join(names.get(kind, kind) for kind in kinds)


def _yaml(error: ValidationError) -> str:
    """Return a hint where YAML read a number as a text, as it does with `5e-7`."""
    if error.validator_value not in _NUMBER or not isinstance(error.instance, str):
        return ""
    try:
        float(error.instance)
    except ValueError:
        return ""
    return " YAML takes it for a text: write a number with a point, such as 5.0e-7, unquoted."
