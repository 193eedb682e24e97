"""Typed keys: one class says names, types, limits, defaults and meanings; the rest follows from it.

Whoever takes settings declares them as a class of `Keys`, one line per key:

    class Options(Keys):
        low: Number = key(0.2, "Lower end of the window, itself in it.", ge=0, le=1)

`complete` fills in defaults and refuses what is wrong, naming the nearest key; config/README.md is
written from the same classes (`limr.study.reference`). Nothing is converted: a text is no number,
and true is no whole number. What comes out is plain dictionaries, lists and values, so that a rule
can carry it; keys are in the class's order, so that their order in a file changes nothing.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from limr.core import plugins
from limr.core.errors import InputError, nearest

Place = tuple[int | str, ...]
Words = dict[str, Any]  # of an error: see `_words`
Wrong = tuple[Place, Words]


class _Absent:
    """The default of a key that may be left out, and then is not in the completed settings."""

    def __deepcopy__(self, memo: object) -> _Absent:
        return self


ABSENT: Any = _Absent()


def key(default: Any, meaning: str = "", **limits: Any) -> Any:
    """Declare a key.

    Args:
        default: `...` for a key that must be given, `ABSENT` for one that may be left out without
            a default; `{}` for a mapping of keys, whose own defaults then count.
        meaning: for config/README.md: what it is, its unit and range; left out where the type has
            a description.
        limits: pydantic's: `ge`, `gt`, `le`, `lt`, `min_length`, `max_length`, `pattern`.
    """
    whole = isinstance(default, dict)  # a mapping's own defaults are filled in
    told: dict[str, Any] = {"description": meaning} if meaning else {}
    return Field(default, validate_default=whole, **told, **limits)


def _as_given(value: Any, check: Callable[[Any], Any]) -> Any:
    check(value)
    return value


def _each_once(values: list[Any]) -> list[Any]:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise PydanticCustomError("twice", "twice", {"value": repr(value)})
    return values


class OneOf:
    """One of some values that another module names: `Annotated[str, OneOf(NAMES)]`."""

    def __init__(self, values: Any) -> None:
        self.values = list(values)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.literal_schema(self.values)


# Any number; a whole one stays whole.
Number = Annotated[float, WrapValidator(_as_given)]
NAME_PATTERN = "^[a-z0-9][a-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
EACH_ONCE = AfterValidator(_each_once)  # of a list: no value twice


class Keys(BaseModel):
    """Settings that a user writes; a subclass has a line for each key.

    Attributes:
        plug_in: of an entry whose further keys are the options of a plug-in that it names: the kind
            of plug-in, and the key that names it, e.g. `("selectors", "selector")`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", protected_namespaces=())
    plug_in: ClassVar[tuple[str, str] | None] = None

    @model_validator(mode="wrap")
    @classmethod
    def _complete(cls, value: Any, check: Callable[[Any], Any]) -> Any:
        if not isinstance(value, dict):
            return check(value)
        fields, misnamed = cls.model_fields, False
        if cls.plug_in is not None:
            kind, by = cls.plug_in
            name = value.get(by, fields[by].default)
            if isinstance(name, str):
                return _joined(cls, options(named(kind, name))).model_validate(value)
            misnamed = by in value
        empty = [name for name in value if value[name] is None and name in fields]
        # `accuracy:` alone in YAML means no options
        nothing: dict[str, Any] = {name: {} for name in empty if fields[name].default == {}}
        try:
            return check({**value, **nothing})
        except ValidationError as error:
            lines: list[InitErrorDetails] = [
                {"type": PydanticCustomError("limr", "{text}", words), "loc": place, "input": value}
                for place, words in _said(cls, error, misnamed)
            ]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None


def without_defaults(keys: type[Keys]) -> type[Keys]:
    """Let every key of a class be left out, e.g. where an entry changes some of them."""
    for field in keys.model_fields.values():
        field.default, field.validate_default = ABSENT, False
    keys.model_rebuild(force=True)
    return keys


def options(plug_in: Any) -> type[Keys]:
    """Return the keys of a plug-in's module: its `Options`, or none."""
    found: type[Keys] = getattr(plug_in, "Options", Keys)
    return found


def named(kind: str, name: str) -> Any:
    """Return a plug-in's module, within a validator: that there is none is said of the entry."""
    try:
        return plugins.load(kind, name)
    except InputError as error:
        words = {"text": str(error), "rank": _PLUG_IN, "up": 0, "name": name}
        raise PydanticCustomError("limr", "{text}", words) from None


def refused(text: str) -> PydanticCustomError:
    """Return the error of a key's validator, given what to say after the key's name."""
    return PydanticCustomError("limr", "{text}", {"text": text, "rank": _OTHER, "up": 0})


class ByName:
    """Of a mapping from plug-ins, by their names, to their options: the kind of plug-in."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def pairs(value: Any) -> Any:
            is_mapping = isinstance(value, dict)
            return {name: (name, own) for name, own in value.items()} if is_mapping else value

        def check(pair: tuple[str, Any]) -> Keys:
            name, own = pair
            keys = options(named(self.kind, str(name)))
            return keys.model_validate({} if own is None else own)

        schema: core_schema.CoreSchema = handler.generate_schema(
            Annotated[dict[str, Annotated[Any, PlainValidator(check)]], BeforeValidator(pairs)]
        )
        return schema


@cache
def _joined(entry: type[Keys], own: type[Keys]) -> type[Keys]:
    """Return the keys of an entry, followed by those of the plug-in that it names."""
    bases = (entry,) if own is Keys else (own, entry)
    joined: type[Keys] = create_model(entry.__name__, __base__=bases)
    joined.plug_in = None
    return joined


def complete(value: Any, keys: Any, where: str) -> Any:
    """Return a copy of `value` with defaults filled in, as plain dictionaries, or refuse it.

    Args:
        value: the document, as YAML or JSON gave it.
        keys: a class of `Keys`, or a type such as `dict[str, SomeKeys]`.
        where: what the document is, for messages, e.g. `config/demo.yaml`.

    Raises:
        InputError: a key is unknown, missing, of a wrong type or out of range.
    """
    try:
        return plain(_validator(keys).validate_python(value))
    except ValidationError as error:
        said = [_sentence(*wrong) for wrong in _said(keys, error)]
    # What is most likely the cause of the others; a value rather than a key that is missing.
    said.sort(key=lambda line: line[:2])
    rank, _, text = said[0]
    more = f" ({len(said) - 1} more after this one)" if rank and len(said) > 1 else ""
    raise InputError(f"{where}: {text}{more}")


@cache
def _validator(keys: Any) -> TypeAdapter[Any]:
    own = isinstance(keys, type) and issubclass(keys, Keys)
    return TypeAdapter(keys) if own else TypeAdapter(keys, config=ConfigDict(strict=True))


def plain(value: Any) -> Any:
    """Return settings as dictionaries, lists and values; keys that are absent are left out."""
    if isinstance(value, Keys):
        pairs = [(name, getattr(value, name)) for name in type(value).model_fields]
        pairs += (value.__pydantic_extra__ or {}).items()
        return {name: plain(part) for name, part in pairs if part is not ABSENT}
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def choices(keys: type[Keys], name: str) -> list[Any] | None:
    """Return the values that a key may have; None where there is no such key, or no such list."""
    field = keys.model_fields.get(name)
    if field is None:
        return None
    for part in field.metadata:
        if isinstance(part, OneOf):
            return part.values
    found = get_args(field.annotation) if get_origin(field.annotation) is Literal else None
    return None if found is None else list(found)


# What is wrong, in words. Each class words the errors of its own keys and hands them up.


def _said(keys: Any, error: ValidationError, misnamed: bool = False) -> Iterator[Wrong]:
    """Yield the place and the words of each error; one for a key of several types.

    Args:
        keys: the class, or type, that was checked.
        error: what pydantic found.
        misnamed: the plug-in's name is wrong, so that nobody knows which keys there are.
    """
    wrong: dict[Place, list[Any]] = {}
    for line in error.errors(include_url=False):
        place = line["loc"]
        if line["type"] in _UNKNOWN_KEY:
            if misnamed:
                continue
            place = place[:-1]  # one error for all the unknown keys of an entry
        elif line["type"] not in ("limr", "missing") and place[-1:] != ("[key]",):
            place = place[: _type_at(keys, place)[0]]
        wrong.setdefault(place, []).append(line)
    for place, lines in wrong.items():
        line = next((one for one in lines if not one["type"].endswith("_type")), lines[0])
        at = line["loc"] if line["type"] in _UNKNOWN_KEY else place
        ours = line["type"] == "limr"
        words = line["ctx"] if ours else _words(keys, line, _type_at(keys, place)[1])
        yield at, words


_UNKNOWN_KEY = ("extra_forbidden", "invalid_key")
_PLUG_IN, _UNKNOWN, _OTHER = range(3)  # an unknown key is usually the cause of a missing one


def _type_at(kind: Any, place: Place) -> tuple[int, Any]:
    """Return how deep a place can be followed, up to a choice of types; and the type there."""
    for depth, part in enumerate(place):
        while get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        parts = [one for one in get_args(kind) if one is not types.NoneType]
        origin = get_origin(kind)
        if origin in (Union, types.UnionType) and len(parts) == 1:
            kind, origin = parts[0], get_origin(parts[0])
            parts = list(get_args(kind))
        if isinstance(kind, type) and issubclass(kind, Keys) and part in kind.model_fields:
            kind = kind.model_fields[str(part)].annotation
        elif origin in (list, dict):
            kind = parts[-1]
        else:
            return depth, kind
    return len(place), kind


def _words(keys: Any, line: Any, kind: Any) -> Words:
    """Return the rank of an error, what to say after its place, and which place that is."""
    error, found, limits = line["type"], line["input"], line.get("ctx", {})
    last = line["loc"][-1] if line["loc"] else ""
    if error in _UNKNOWN_KEY:
        text = f" is not a key.{nearest(str(last), keys.model_fields)}"
        return {"text": text, "rank": _UNKNOWN, "up": 0}
    if error == "missing":
        return {"text": f" lacks the key '{last}'.", "rank": _OTHER, "up": 1}
    if last == "[key]":
        allowed = "may hold only lower-case letters, digits, '-' and '_'"
        text = f": {found!r} {allowed if isinstance(found, str) else 'must be a text: quote it'}."
        return {"text": text, "rank": _OTHER, "up": 2}
    if error == "literal_error":
        known = [text.strip("'") for text in re.split(", | or ", limits["expected"])]
        text = f" is '{found}'.{nearest(str(found), known)}"
    elif error == "twice":
        text = f" has {limits['value']} twice. Give each value once."
    elif error.endswith("_type"):
        names = _type_names(kind)
        text = f" must be {' or '.join(names)}, found {found!r}.{_yaml(names, found)}"
    elif error == "string_pattern_mismatch":
        text = f": {found!r} must match {limits['pattern']}."
        if limits["pattern"] == NAME_PATTERN:
            text = f": {found!r} may hold only lower-case letters, digits, '-' and '_'."
    elif error in _LIMITS:
        (limit,) = [limits[name] for name in _LIMIT_NAMES if name in limits]
        text = f": {found!r} {_LIMITS[error].format(f'{limit:g}')}."
        if error.endswith("too_short") and limit == 1:
            text = f": {found!r} should be non-empty."
    else:
        text = f": {line['msg']}."
    return {"text": text, "rank": _OTHER, "up": 0}


_LIMIT_NAMES = ("gt", "ge", "lt", "le", "min_length", "max_length")
_LIMITS = {
    "greater_than": "is less than or equal to the minimum of {}",
    "greater_than_equal": "is less than the minimum of {}",
    "less_than": "is greater than or equal to the maximum of {}",
    "less_than_equal": "is greater than the maximum of {}",
    "too_short": "is too short: at least {}",
    "too_long": "is too long: at most {}",
    "string_too_short": "is too short: at least {}",
    "string_too_long": "is too long: at most {}",
}
_TYPE_NAMES: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text"}
_TYPE_NAMES |= {list: "a list", dict: "a mapping", bool: "true or false", types.NoneType: "null"}


def _type_names(kind: Any) -> list[str]:
    """Return the names of a type, or of each of a choice of types."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _type_names(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return [name for part in get_args(kind) for name in _type_names(part)]
    return [_TYPE_NAMES.get(origin or kind, "a mapping")]


def _yaml(names: list[str], found: Any) -> str:
    """Return a hint where YAML read a number as a text, as it does with `5e-7`."""
    if not isinstance(found, str) or not {"a number", "a whole number"} & set(names):
        return ""
    try:
        float(found)
    except ValueError:
        return ""
    return " YAML takes it for a text: write a number with a point, such as 5.0e-7, unquoted."


def _sentence(place: Place, words: Words) -> tuple[int, int, str]:
    """Return an error's rank, minus its depth, and its sentence, which begins with the place."""
    place = place[: len(place) - words["up"]]
    path = ".".join(str(part) for part in place)
    text = (f"'{path}'" if path else "the document") + words["text"]
    if words["rank"] == _PLUG_IN:
        entry = place[-1] if place else words["name"]
        text = words["text"] if entry == words["name"] else f"{entry}: {words['text']}"
    return words["rank"], -len(place), text


def from_text(text: str) -> Any:
    """Return what a value on the command line means, as in a study's YAML."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
