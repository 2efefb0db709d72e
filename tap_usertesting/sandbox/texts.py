"""The texts of the sandbox: titles, tasks, people and what they say. All are invented; no participant is real."""

from __future__ import annotations

WORKSPACES = ("Checkout and Payments Research", "Mobile Banking Team", "Brand and Content Lab")

TITLES: dict[str, tuple[str, ...]] = {
    "SURVEY": (
        "Holiday shopping habits 2026",
        "How people compare phone plans",
        "Newsletter preferences, returning customers",
        "Trust in card payments online",
    ),
    "NON_THINK_OUT_LOUD": (
        "Checkout redesign: guest against account",
        "Find and book a dentist, prototype B",
        "Navigation labels of the help centre",
        "Transfer money abroad, first click",
    ),
    "THINK_OUT_LOUD": (
        "First impressions of the new home page",
        "Returning an item from the mobile app",
        "Onboarding of the budget planner",
        "Comparing three delivery options",
    ),
    "LIVE_CONVERSATION": (
        "Interviews with small shop owners",
        "Discovery talks: parents who plan meals",
        "How bookkeepers close the month",
        "Concept interviews for a shared wallet",
    ),
    "INSIGHT_CORE": ("Classic website test of 2021", "Prototype walk-through, classic plan"),
}

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
        ("United States", "Canada", "Germany", "United Kingdom", "Brasil"),
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

# For each product type: (task type, prompt). A test takes a run of them in this order.
TASKS: dict[str, tuple[tuple[str, str], ...]] = {
    "SURVEY": (
        ("BLANK", "Thank you for taking part. Please answer as you would to a friend."),
        ("MULTIPLE_CHOICE", "Which of these shops did you buy from in the last month?"),
        ("RATING_SCALE", "How satisfied are you with the shop you used last?"),
        ("NPS", "How likely are you to recommend it to a friend or colleague?"),
        ("RANK_ORDER", "Put these reasons for choosing a shop in order, most important first."),
        ("MATRIX", "Please rate each of these statements about the last delivery."),
        ("IMAGE", "Look at this picture. What would you expect to happen after a tap on the button?"),
        ("WRITTEN", "If you could change one thing, what would it be?"),
        ("UNRECOGNIZED", "Sort these cards into groups that make sense to you."),
    ),
    "NON_THINK_OUT_LOUD": (
        ("URL", "Open the shop and put a blue rain jacket in your basket."),
        ("URL", "Pay for it as a guest. Stop before the last step."),
        ("RATING_SCALE", "How easy or difficult was it to find what you were looking for?"),
        ("FIGMA", "Use the prototype to change the delivery address."),
        ("FIGMA", "Now find out what a return would cost."),
        ("MULTIPLE_CHOICE", "Which of the two versions felt quicker?"),
        ("NPS", "How likely are you to use this site again?"),
        ("WRITTEN", "What, if anything, made you hesitate?"),
    ),
    "THINK_OUT_LOUD": (
        ("BLANK", "Please think out loud from here on. There are no wrong answers."),
        ("URL", "Look at the page for a minute without clicking. What is this company offering?"),
        ("WRITTEN", "Who do you think this page was made for?"),
        ("FIGMA", "Try to send back the second item of your last order."),
        ("RATING_SCALE", "How confident are you that the return was accepted?"),
        ("RANK_ORDER", "Which of these delivery options would you take first?"),
        ("WRITTEN", "Tell us about anything that surprised you."),
    ),
    "LIVE_CONVERSATION": (
        ("BLANK", "Welcome. The moderator will join you in a moment."),
        ("WRITTEN", "Before we start: what do you do on a normal working day?"),
        ("MULTIPLE_CHOICE", "Which of these tools do you have open right now?"),
    ),
}

CHOICES = (
    "The corner shop",
    "A large online shop",
    "The shop's own app",
    "A second-hand market",
    "None of these",
)
STATEMENTS = (
    "It arrived when promised",
    "The packaging was right",
    "I always knew where it was",
    "Returning it would be easy",
)
QX_LABELS = ("Guest checkout", "Change the address", "Cost of a return")

# What participants write or say. Kept free of markup: the transcripts add it where they want it.
SENTENCES = (
    "Okay, so I am on the home page now and the first thing I see is the big picture of the jacket.",
    "I am not sure whether this button takes me to the basket or straight to payment.",
    "That was quicker than I expected, to be honest.",
    "I would look for the return policy at the bottom of the page, because it is always there.",
    "Hmm, it wants me to create an account, and I do not want to do that for one order.",
    "The price changed when I chose the delivery, and nobody told me why.",
    "I like that it remembers my address.",
    "My daughter would find this easily; my father would give up here.",
    "Let me scroll back up, I think I have missed something.",
    "The words are friendly, but I still do not know what happens next.",
    "At work we do this in a spreadsheet, every Friday afternoon.",
    "If this were real I would ring them now.",
    "I expected to see a summary before I pay.",
    "There are three options & they all look the same to me.",
    "Anything under five euros I would not bother to send back.",
    "The search found exactly what I typed, which is not what I meant.",
    "So this is the café around the corner, and it says it opens at nine.",
    "I tapped it twice because nothing seemed to happen.",
    "Good, it says that my request was received, with a number I can keep.",
    "I would give that a four out of five.",
)

QUESTIONS = (
    "Can you tell me what you are looking at?",
    "What would you do next?",
    "Why is that important to you?",
    "How do you solve this today?",
    "Is there anything you expected to find here and did not?",
    "Thank you, that is really helpful. What happened after that?",
)

REMARKS = (
    "Could not find the guest checkout",
    "Delighted by the delivery summary",
    "Confused about the total price",
    "Explains how she returns items today",
)
