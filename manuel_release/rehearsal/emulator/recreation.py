"""Change sets: which properties replace a resource, for types of which ministack says `Conditionally` of every one.

Only what DescribeChangeSet tells changes, not what an update does.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html
"""

from __future__ import annotations

from ministack.services.cloudformation import provisioners, stacks

from manuel_release.rehearsal.emulator.create_only import CREATE_ONLY

REQUIRES = {
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES": None,
    "ministack.services.cloudformation.provisioners._property_recreation": ("resource_type", "name"),
    "ministack.services.cloudformation.stacks._property_recreation": ("resource_type", "name"),
}


def _recreation(resource_type: str, name: str) -> str:
    """What a change of the property does to the resource: Never, Conditionally or Always."""
    if resource_type in provisioners._REPLACING_PROPERTIES or resource_type not in CREATE_ONLY:
        return str(provisioners._property_recreation(resource_type, name))
    return "Always" if name in CREATE_ONLY[resource_type] else "Never"


def install() -> None:
    """Apply the lists from now on."""
    stacks._property_recreation = _recreation
