"""The schema registry: whether it answers, lets us in, and has schemas of the topics that need them."""

from __future__ import annotations

from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.registry import registry_of
from streams.inputs.formats.formats import has_schema_ids


def schema_registry(installation: Installation) -> str:
    """Check that the registry answers, and has a subject for each topic whose records name schemas."""
    registry = registry_of(installation.settings)
    if registry is None:
        msg = "none is set"
        raise Skipped(msg)
    subjects = registry.subjects()
    sources = {**installation.mapped, **installation.followed}
    topics = sorted(topic for topic, source in sources.items() if has_schema_ids(source.entry))
    missing = [topic for topic in topics if not any(_is_of(subject, topic) for subject in subjects)]
    if missing:
        msg = (
            f"{registry.url} has {len(subjects):,} subjects and none of {', '.join(missing)}: where their "
            "producer names subjects by the topic, it has registered nothing here"
        )
        raise Doubtful(msg)
    of_topics = f", some of each of {', '.join(topics)}" if topics else ""
    return f"{registry.url} answers and has {len(subjects):,} subjects{of_topics}"


def _is_of(subject: str, topic: str) -> bool:
    """Return whether a subject is named as Confluent's serializers do: by the topic, or topic and record."""
    return subject.startswith(f"{topic}-")
