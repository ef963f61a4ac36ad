"""The name of an answer's model: the bundled rules give a name of their own, whatever model was asked for. Pure."""

RULES_MODEL = "maemae-rules-1"


def is_rules(model: str) -> bool:
    """Whether *model*, as an answer names itself, is the bundled rules and no language model."""
    return model == RULES_MODEL
