"""A bill of materials of what runs, as CycloneDX 1.5 JSON, from the lock alone: the same lock, the same file."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from lib.settings import VERSION
from tests.audit.licences import Licensed


def bill(parts: Sequence[Licensed]) -> str:
    """The bill of *parts*."""
    components = [_component(part) for part in parts]
    named = {"type": "application", "name": "maemae", "version": VERSION, "bom-ref": "maemae"}
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": named | {"licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": components,
        "dependencies": [{"ref": "maemae", "dependsOn": [one["bom-ref"] for one in components]}],
    }
    # of its own content: whoever makes it again from the same lock has the same bill
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return json.dumps({"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
                       "serialNumber": f"urn:uuid:{number}", **content}, indent=1) + "\n"  # fmt: skip


def _component(part: Licensed) -> dict[str, Any]:
    package = part.package
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [{"license": {"name": part.licence}}],
        "externalReferences": [
            {"type": "distribution", "url": package.purl, "hashes": [{"alg": "SHA-256", "content": one}]}
            for one in package.hashes
        ],
    }
