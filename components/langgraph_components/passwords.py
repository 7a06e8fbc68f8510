"""Passwords that are made here: letters and digits, so that a URL can hold each as it is."""

from typing import Optional

import pulumi
from pulumi_random import RandomPassword

from langgraph_components.pure.data_policies import slot_generations

PASSWORD_LENGTH = 40


def password(
    name: str,
    *,
    parent: pulumi.Resource,
    generation: Optional[int] = None,
    length: int = PASSWORD_LENGTH,
) -> pulumi.Output[str]:
    """A password that stays until its generation changes; without one it never does."""
    keepers = None if generation is None else {"generation": str(generation)}
    made = RandomPassword(
        name,
        length=length,
        special=False,
        keepers=keepers,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made.result


def alternating(
    name: str, *, parent: pulumi.Resource, generation: int
) -> tuple[list[pulumi.Output[str]], pulumi.Output[str]]:
    """The two passwords that are valid, of this generation and the one before, and the one that serves."""
    generations = slot_generations(generation)
    made = [
        password(f"{name}-{slot}", parent=parent, generation=each)
        for slot, each in zip("ab", generations, strict=True)
    ]
    return made, made[generations.index(generation)]
