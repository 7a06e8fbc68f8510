"""The base of every component's arguments: a pydantic model that is also a correct multi-language schema."""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Optional, Self, TypeVar, Union, cast

import pulumi
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from langgraph_components.errors import InvalidArgs, PlatformError, explain

T = TypeVar("T")

if TYPE_CHECKING:
    # lists are invariant: to the checker, an output of `list[str]` would be none of `list[In[str]]`
    In = Union[T, Awaitable[T], pulumi.Output[Any]]
else:
    In = Union[T, Awaitable[T], pulumi.Output[T]]
"""A value, or one that another resource will have: pydantic refuses `pulumi.Input`.

A list of such values is `In[list[In[str]]]`.
"""

if TYPE_CHECKING:
    Defaulted = Annotated[T, "has a default"]
else:
    Defaulted = Optional
"""A field with a default: optional in the schema of every language, never None once validated.

The schema analyzer takes only an `Optional` for optional; `Args` replaces a None by the default.
"""


class Args(BaseModel):
    """Arguments of a component, or a part of them: unknown keys are refused, nothing can be changed."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
        use_attribute_docstrings=True,
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _none_is_the_default(cls, given: Any) -> Any:
        """Other languages send null for what was left out."""
        if not isinstance(given, Mapping):
            return given
        return {key: value for key, value in cast("Mapping[str, Any]", given).items() if value is not None}

    @classmethod
    def of(cls, given: Self | Mapping[str, Any] | None) -> Self:
        """The model of what a caller gave: the model itself, the same as a dict, or nothing.

        Raises:
            InvalidArgs: names each field that is wrong and what is allowed.
        """
        if isinstance(given, cls):
            return given
        try:
            return cls.model_validate({} if given is None else given)
        except ValidationError as error:
            raise cls._refusal(error) from None

    @classmethod
    def _refusal(cls, error: ValidationError) -> PlatformError:
        return InvalidArgs(explain(error, cls.__name__))

    def chosen(self) -> dict[str, Any]:
        """What was given, without the defaults: to be part of other arguments, which have the same ones."""
        return {name: getattr(self, name) for name in self.model_fields_set}
