"""The texts of the sandbox that belong to no study. All are invented; no participant is real."""

from __future__ import annotations

WORKSPACES = ("Checkout and Payments Research", "Mobile Banking Team", "Brand and Content Lab")

AUTHORS = (
    ("Maya Lindqvist", "maya.lindqvist@example.com"),
    ("Tom Okafor", "tom.okafor@example.com"),
    ("Ines Duarte", "ines.duarte@example.com"),
)

SINGLE = "DEMOGRAPHIC_QUESTION_TYPE_SINGLE"
MULTIPLE = "DEMOGRAPHIC_QUESTION_TYPE_MULTIPLE"

# code, label, question type, possible answers
DEMOGRAPHICS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("GENDER", "What is your gender?", SINGLE, ("Female", "Male", "Non-binary", "Prefer not to say")),
    ("AGE_GROUP", "How old are you?", SINGLE, ("18-24", "25-34", "35-44", "45-54", "55-64", "65 or older")),
    (
        "COUNTRY",
        "Where do you live?",
        SINGLE,
        ("United States", "Canada", "Germany", "United Kingdom", "Brazil"),
    ),
    (
        "INCOME",
        "Household income per year",
        SINGLE,
        ("Under $40,000", "$40,000 - $79,999", "$80,000 and more"),
    ),
    (
        "INTERESTS",
        "What are you interested in?",
        MULTIPLE,
        ("Cooking", "Travel", "Music", "Gardening", "Football"),
    ),
    (
        "SOCIAL_NETWORKS",
        "Which networks do you use?",
        MULTIPLE,
        ("LinkedIn", "Instagram", "TikTok", "Reddit"),
    ),
)

# What participants say whatever they look at. Kept free of markup: the transcripts add it where they want it.
SENTENCES = (
    "Hmm, let me think about that for a moment.",
    "That was quicker than I expected, to be honest.",
    "Let me scroll back up, I think I have missed something.",
    "I tapped it twice because nothing seemed to happen.",
    "Is this in English & French, or only in English?",
    "I would read this again if it were for real.",
    "Okay, I see what they mean now.",
    "This is small on my phone; I have to zoom in.",
    "A naïve question: can I go back from here?",
    "I was looking at the wrong corner of the screen.",
    "Fine, I would go on from here.",
)
