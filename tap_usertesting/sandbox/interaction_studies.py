"""The interaction tests of the sandbox, in which participants do not speak. All texts are invented."""

from __future__ import annotations

from tap_usertesting.sandbox.study import DIFFICULT_TO_EASY, Prompt, Study

INTERACTION_STUDIES = (
    Study(
        "Checkout redesign: guest against account",
        labels=("Guest checkout", "Change the address", "Cost of a return"),
        remarks=(
            "Looks for the guest checkout below the fold",
            "Compares the two totals",
            "Enters the address twice",
            "Pays as a guest at once",
        ),
        prompts=(
            Prompt(
                "URL",
                "Open the shop and put a blue rain jacket in your basket.",
                ("https://shop.example.com/jackets/rain-blue", "https://shop.example.com/search?q=rain+jacket"),
            ),
            Prompt(
                "URL",
                "Pay for it as a guest. Stop before the last step.",
                ("https://shop.example.com/checkout/guest", "https://shop.example.com/checkout/sign-in"),
            ),
            Prompt("RATING_SCALE", "How easy or difficult was it to pay as a guest?", DIFFICULT_TO_EASY),
            Prompt("FIGMA", "Use the prototype to change the delivery address.", ("Checkout, version B",)),
            Prompt("FIGMA", "Now find out what a return would cost.", ("Returns, version B",)),
            Prompt(
                "MULTIPLE_CHOICE",
                "Which of the two ways to pay felt quicker?",
                ("As a guest", "With an account", "Both the same"),
            ),
            Prompt("NPS", "How likely are you to recommend this shop to a friend or colleague?", typical=8),
            Prompt(
                "WRITTEN",
                "What, if anything, made you hesitate?",
                (
                    "The button for guests is grey, so I took it for a label.",
                    "I did not see the cost of delivery until the last page.",
                    "It asked for a phone number without saying why.",
                    "Nothing. It was quicker than I expected.",
                    "I was not sure whether the jacket was still in the basket after I changed the address.",
                ),
            ),
        ),
    ),
    Study(
        "Find and book a dentist, prototype B",
        labels=("Find a dentist", "Book an appointment", "Cost of a visit"),
        remarks=(
            "Uses the map before the list",
            "Misses the filter for evenings",
            "Takes the first free appointment",
            "Asks what a visit costs",
        ),
        prompts=(
            Prompt(
                "URL",
                "Find a dentist near the station who takes new patients.",
                ("https://dentists.example.com/near/station", "https://dentists.example.com/map"),
            ),
            Prompt(
                "URL",
                "Choose the first free appointment after five in the afternoon. Stop before the last step.",
                ("https://dentists.example.com/book/evening", "https://dentists.example.com/book"),
            ),
            Prompt("RATING_SCALE", "How easy or difficult was it to find a free appointment?", DIFFICULT_TO_EASY),
            Prompt("FIGMA", "Use the prototype to move the appointment to another day.", ("Booking, prototype B",)),
            Prompt("FIGMA", "Now find out what the first visit costs.", ("Prices, prototype B",)),
            Prompt(
                "MULTIPLE_CHOICE",
                "Where did you see first when the dentist is free?",
                ("In the calendar", "In the list of dentists", "On the map"),
            ),
            Prompt("NPS", "How likely are you to recommend this way of booking to a friend?", typical=8),
            Prompt(
                "WRITTEN",
                "What would you want to know before you book?",
                (
                    "Whether they treat children as well.",
                    "What I pay myself and what the insurance pays.",
                    "How long I have to cancel without a fee.",
                    "A picture of the practice and of the people there.",
                    "If there is a step at the door; my mother uses a wheelchair.",
                ),
            ),
        ),
    ),
    Study(
        "Navigation labels of the help centre",
        labels=("Change the e-mail address", "Find the opening hours", "Find an invoice"),
        remarks=(
            "Opens 'My account' first",
            "Goes to the search after two labels",
            "Reads every label twice",
            "Misses the page about invoices",
        ),
        prompts=(
            Prompt(
                "URL",
                "Find out how to change the e-mail address of an account.",
                ("https://help.example.com/account/email", "https://help.example.com/search?q=email"),
            ),
            Prompt(
                "URL",
                "Find out when the telephone line is open.",
                ("https://help.example.com/contact/hours", "https://help.example.com/contact"),
            ),
            Prompt("RATING_SCALE", "How clear or unclear were the labels?", ("Very unclear", "Very clear"), typical=3),
            Prompt("FIGMA", "Use the prototype to find out how to close an account.", ("Help centre, new labels",)),
            Prompt("FIGMA", "Now find the page about invoices.", ("Help centre, new labels",)),
            Prompt(
                "MULTIPLE_CHOICE",
                "Under which label did you look for invoices first?",
                ("Payments and invoices", "My account", "Orders", "Contact us"),
            ),
            Prompt("NPS", "How likely are you to use the help centre again instead of calling?", typical=7),
            Prompt(
                "WRITTEN",
                "Which label would you rename, and how?",
                (
                    "'Contact us' should say 'Call or write to us'.",
                    "'My account' holds everything, so it says nothing. Split it.",
                    "I would not rename any.",
                    "'Orders' made me think of placing one. 'Your orders' would be better.",
                    "'Resources' could be anything; call it 'Guides'.",
                ),
            ),
        ),
    ),
    Study(
        "Transfer money abroad, first click",
        labels=("Start a transfer", "Choose the currency", "Cost of the transfer"),
        remarks=(
            "Clicks on 'Cards' first",
            "Looks for the rate on the home page",
            "Finds the fee in the summary",
            "Goes back to the accounts",
        ),
        prompts=(
            Prompt(
                "URL",
                "You want to send 200 euros to a friend in Canada. Start the transfer.",
                ("https://bank.example.com/transfer/abroad", "https://bank.example.com/transfer"),
            ),
            Prompt(
                "URL",
                "Find out in which currency it will arrive. Stop before the last step.",
                ("https://bank.example.com/transfer/abroad/currency", "https://bank.example.com/help/currencies"),
            ),
            Prompt("RATING_SCALE", "How easy or difficult was it to see what the transfer costs?", DIFFICULT_TO_EASY),
            Prompt("FIGMA", "Use the prototype to add the friend to your contacts.", ("Transfers, first click",)),
            Prompt("FIGMA", "Now find out when the money arrives.", ("Transfers, first click",)),
            Prompt(
                "MULTIPLE_CHOICE",
                "Where did you expect transfers abroad?",
                ("Under 'Transfers'", "Under 'Accounts'", "Under 'Cards'", "In the search"),
            ),
            Prompt("NPS", "How likely are you to recommend this bank for transfers abroad?", typical=6),
            Prompt(
                "WRITTEN",
                "What was missing before you would confirm the transfer?",
                (
                    "The exchange rate, next to the amount.",
                    "The day on which the money arrives.",
                    "A line that says what the other bank takes.",
                    "Nothing was missing.",
                    "Which number I need: they use another one over there.",
                ),
            ),
        ),
    ),
)
