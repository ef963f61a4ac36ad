"""Who answers: the bundled rules call themselves by a name of their own, whatever they were asked as. Pure."""

RULES_MODEL = "maemae-rules-1"


def is_rules(model: str) -> bool:
    """Whether *model*, as an answer names itself, is the bundled rules and no language model."""
    return model == RULES_MODEL
