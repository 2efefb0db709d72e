"""The surveys of the sandbox. All texts are invented."""

from __future__ import annotations

from tap_usertesting.sandbox.study import DIFFICULT_TO_EASY, Prompt, Study

_WELCOME = Prompt("BLANK", "Thank you for taking part. Please answer as you would to a friend.")

SURVEYS = (
    Study(
        "Holiday shopping habits 2026",
        prompts=(
            _WELCOME,
            Prompt(
                "MULTIPLE_CHOICE",
                "Where did you buy presents in the last month?",
                (
                    "A large online shop",
                    "A shop in the town centre",
                    "The app of a brand",
                    "A second-hand market",
                    "Somewhere else",
                ),
                several=True,
            ),
            Prompt(
                "RATING_SCALE",
                "How satisfied are you with the shop that you used last?",
                ("Very dissatisfied", "Very satisfied"),
            ),
            Prompt("NPS", "How likely are you to recommend that shop to a friend or colleague?", typical=8),
            Prompt(
                "RANK_ORDER",
                "Put these reasons for choosing a shop in order, most important first.",
                ("Price", "Fast delivery", "Easy returns", "Helpful staff"),
            ),
            Prompt(
                "MATRIX",
                "Please rate each of these statements about your last delivery.",
                (
                    "It arrived when promised",
                    "The packaging was right",
                    "I always knew where it was",
                    "Returning it would be easy",
                ),
            ),
            Prompt("IMAGE", "Look at this banner. Where would you tap to see the offer?"),
            Prompt(
                "WRITTEN",
                "If you could change one thing about holiday shopping, what would it be?",
                (
                    "Show the last day on which a parcel still arrives in time, before I pay.",
                    "Fewer offers that end at midnight. They make me close the page.",
                    "Let me send one order to three addresses.",
                    "A return label in the box, so that the family can swap sizes without asking me.",
                    "Gift wrapping that does not cost more than the present.",
                ),
            ),
            Prompt("UNRECOGNIZED", "Sort these presents into groups that make sense to you."),
        ),
    ),
    Study(
        "How people compare phone plans",
        prompts=(
            _WELCOME,
            Prompt(
                "MULTIPLE_CHOICE",
                "Where did you look when you last compared phone plans?",
                (
                    "A comparison site",
                    "The website of my provider",
                    "I asked friends or family",
                    "A shop on the high street",
                    "A magazine",
                ),
                several=True,
            ),
            Prompt("RATING_SCALE", "How easy or difficult was it to compare the prices?", DIFFICULT_TO_EASY, typical=2),
            Prompt("NPS", "How likely are you to recommend your provider to a friend or colleague?", typical=6),
            Prompt(
                "RANK_ORDER",
                "Put these parts of a plan in order, most important first.",
                ("Monthly price", "Amount of data", "Length of the contract", "Calls abroad"),
            ),
            Prompt(
                "MATRIX",
                "How much do you agree with each of these statements about your plan?",
                (
                    "I know what it costs each month",
                    "I have as much data as I need",
                    "I could leave whenever I want to",
                    "The bill is easy to read",
                ),
            ),
            Prompt("IMAGE", "Look at this table of plans. Where would you tap first?"),
            Prompt(
                "WRITTEN",
                "What made your last comparison hard?",
                (
                    "Every provider counts data in another way, and some leave out the connection fee.",
                    "The price goes up after six months and that is in the small print.",
                    "I could not see which plan I am on today.",
                    "Nothing really, I only look at the monthly price.",
                    "The phone is mixed into the price, so you never know what the plan itself costs.",
                ),
            ),
            Prompt("UNRECOGNIZED", "Sort these plans into groups that make sense to you."),
        ),
    ),
    Study(
        "Newsletter preferences, returning customers",
        prompts=(
            _WELCOME,
            Prompt(
                "MULTIPLE_CHOICE",
                "Which of our newsletters have you opened in the last month?",
                ("Weekly offers", "New arrivals", "Tips and repairs", "Events near you", "The birthday voucher"),
                several=True,
            ),
            Prompt(
                "RATING_SCALE",
                "How useful was the last newsletter that you opened?",
                ("Not at all useful", "Very useful"),
                typical=3,
            ),
            Prompt("NPS", "How likely are you to forward one of our newsletters to a friend?", typical=5),
            Prompt(
                "RANK_ORDER",
                "Put these subjects in order, most interesting first.",
                ("Discounts", "New products", "Behind the scenes", "Repair and care"),
            ),
            Prompt(
                "MATRIX",
                "How much do you agree with each of these statements about our newsletters?",
                (
                    "They come at the right time",
                    "There are too many of them",
                    "I recognise the sender at once",
                    "Leaving the list is easy",
                ),
            ),
            Prompt("IMAGE", "Look at this newsletter. Where would you tap first?"),
            Prompt(
                "WRITTEN",
                "What would make you open our newsletter more often?",
                (
                    "A subject line that tells me what is inside, without a row of emoji.",
                    "Offers for things I buy, not for children's shoes. My children are thirty.",
                    "Once a month would be enough.",
                    "The repair tips. I have kept two of them.",
                    "If it told me when the jacket I looked at gets cheaper.",
                ),
            ),
            Prompt("UNRECOGNIZED", "Sort these subject lines into groups that make sense to you."),
        ),
    ),
    Study(
        "Trust in card payments online",
        prompts=(
            _WELCOME,
            Prompt(
                "MULTIPLE_CHOICE",
                "How did you pay for your last purchase online?",
                ("Debit card", "Credit card", "A wallet on the phone", "Bank transfer", "Invoice"),
            ),
            Prompt(
                "RATING_SCALE",
                "How safe did you feel when you entered your card number?",
                ("Not at all safe", "Completely safe"),
                typical=3,
            ),
            Prompt("NPS", "How likely are you to recommend that way of paying to a friend or colleague?", typical=7),
            Prompt(
                "RANK_ORDER",
                "Put these signs of a safe shop in order, most convincing first.",
                ("A name that I know", "A lock in the address bar", "A seal of approval", "Ratings of others"),
            ),
            Prompt(
                "MATRIX",
                "How much do you agree with each of these statements about paying by card?",
                (
                    "I know whom to call if it goes wrong",
                    "I check my statement every week",
                    "I let shops keep my card number",
                    "The second step on the phone is worth it",
                ),
            ),
            Prompt("IMAGE", "Look at this payment form. What makes you hesitate? Tap on it."),
            Prompt(
                "WRITTEN",
                "When did you last stop a payment, and why?",
                (
                    "The page of the bank looked different from usual, so I closed it.",
                    "They wanted my date of birth for a pair of socks.",
                    "The total was not what the basket had said.",
                    "The code never arrived on my phone & I gave up.",
                    "I have never stopped one.",
                ),
            ),
            Prompt("UNRECOGNIZED", "Sort these ways to pay into groups that make sense to you."),
        ),
    ),
)
