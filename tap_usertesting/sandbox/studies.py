"""The studies of the sandbox by product type, and which of them a test is."""

from __future__ import annotations

from tap_usertesting.sandbox.interaction_studies import INTERACTION_STUDIES
from tap_usertesting.sandbox.interviews import INTERVIEWS
from tap_usertesting.sandbox.spoken_studies import SPOKEN_STUDIES
from tap_usertesting.sandbox.study import Study
from tap_usertesting.sandbox.surveys import SURVEYS

STUDIES: dict[str, tuple[Study, ...]] = {
    "SURVEY": SURVEYS,
    "NON_THINK_OUT_LOUD": INTERACTION_STUDIES,
    "THINK_OUT_LOUD": SPOKEN_STUDIES,
    "LIVE_CONVERSATION": INTERVIEWS,
    # Of classic studies only v1 knows, and it knows no more than the title.
    "INSIGHT_CORE": (Study("Classic website test of 2021"), Study("Prototype walk-through, classic plan")),
}
TITLES = {product_type: tuple(study.title for study in studies) for product_type, studies in STUDIES.items()}


def study_of(product_type: str, title: str) -> Study:
    """Return the study with this title, else the first of the product type; one without prompts for an unknown type."""
    studies = STUDIES.get(product_type, (Study(title),))
    return next((study for study in studies if study.title == title), studies[0])
