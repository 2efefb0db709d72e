"""The live conversations of the sandbox: a moderator and a participant. All texts are invented."""

from __future__ import annotations

from tap_usertesting.sandbox.study import Prompt, Study

_WELCOME = Prompt("BLANK", "Welcome. The moderator will join you in a moment.")
_CLOSING = (
    (
        "What should I have asked that I did not ask?",
        "Perhaps what it may cost. That decides most of it for me.",
        "What I do when it goes wrong, because it does.",
        "I think we have covered it.",
    ),
    (
        "Thank you, that is really helpful. May we come back to you?",
        "Of course.",
        "Yes, but not on a Monday.",
        "Gladly, this was shorter than I feared.",
    ),
)

INTERVIEWS = (
    Study(
        "Interviews with small shop owners",
        remarks=(
            "Explains how she orders from suppliers",
            "Shows the notebook beside the till",
            "Wishes for one list",
            "Orders by telephone before ten",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "WRITTEN",
                "Before we start: what do you sell, and since when?",
                (
                    "Cheese and wine, since 2011.",
                    "Second-hand bicycles. My uncle opened the shop; I took over four years ago.",
                    "Stationery and toys, for nine years now.",
                    "Flowers. We opened in March.",
                ),
            ),
            Prompt(
                "MULTIPLE_CHOICE",
                "Which of these tools do you have open on a normal day?",
                (
                    "The till's software",
                    "A spreadsheet",
                    "E-mail",
                    "A messenger for suppliers",
                    "An accounting program",
                ),
                several=True,
            ),
        ),
        talk=(
            (
                "How does a normal morning in your shop begin?",
                "I unlock, I put the coffee on, and I count the till.",
                "With the delivery, if it comes. Then I write down what is missing.",
                "I am in at seven, the customers come at nine, and in between I order.",
            ),
            (
                "How do you know what you have to order?",
                "I walk along the shelves with a notebook.",
                "The till would know, but nobody types in what we throw away.",
                "My colleague keeps a list at the door and everybody adds to it.",
            ),
            (
                "Why is that important to you?",
                "Because an empty shelf on a Saturday costs me the week.",
                "Fresh goods do not wait. What I order too much, I throw away.",
                "I do not have the money to fill the cellar.",
            ),
            (
                "Can you show me how you place an order?",
                "I send a message to the supplier with a picture of the list.",
                "For the big one there is a portal, and I have to type in everything again.",
                "Some still want a phone call before ten.",
            ),
            (
                "What happened the last time it went wrong?",
                "I ordered twelve crates instead of twelve bottles.",
                "The confirmation went to an address that nobody reads.",
                "We had no change for a whole afternoon, because the bank delivers on Tuesdays only.",
            ),
            (
                "If you could have one thing tomorrow, what would it be?",
                "One list for all suppliers.",
                "Something that reminds me before I close, not after.",
                "An hour a day without the telephone.",
            ),
            *_CLOSING,
        ),
    ),
    Study(
        "Discovery talks: parents who plan meals",
        remarks=(
            "Plans around the swimming lessons",
            "Keeps the list in a family chat",
            "Throws away less since June",
            "Gave up two apps",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "WRITTEN",
                "Before we start: who eats at your table on a normal day?",
                (
                    "Two adults and three children, one of them a vegetarian since last week.",
                    "My son and I, and his grandmother on Wednesdays.",
                    "Four of us, and the neighbour's boy.",
                    "Two adults, a baby and a teenager.",
                ),
            ),
            Prompt(
                "MULTIPLE_CHOICE",
                "What do you use to plan meals?",
                ("A list on the fridge", "A family chat", "A recipe app", "A calendar", "A delivered box"),
                several=True,
            ),
        ),
        talk=(
            (
                "When do you decide what you will eat?",
                "On Sunday, for the whole week, if I am lucky.",
                "At five in the afternoon, in front of the fridge.",
                "In the shop, with whatever looks good.",
            ),
            (
                "Who has a say in it?",
                "The children each choose one day.",
                "My husband cooks on Fridays, so Friday is his.",
                "In truth the one who shouts loudest.",
            ),
            (
                "What makes a week difficult?",
                "Swimming lessons. We eat in the car then.",
                "When one of us is on call, the plan is gone.",
                "Birthdays; there are five in our class in May alone.",
            ),
            (
                "How do you write the shopping list?",
                "In the family chat, and it gets lost between the pictures.",
                "On paper. I take a photo of it and leave the paper at home.",
                "I go through the recipes and write down what we do not have.",
            ),
            (
                "What happens to what is left over?",
                "It becomes a soup on Saturday.",
                "Lunch for the office.",
                "Too much of it goes into the bin, and I hate that.",
            ),
            (
                "Have you tried an app for this?",
                "Two. Both wanted me to cook things that nobody here eats.",
                "Yes, and I stopped when it asked for money after a week.",
                "Only for recipes, never for the plan.",
            ),
            *_CLOSING,
        ),
    ),
    Study(
        "How bookkeepers close the month",
        remarks=(
            "Waits for three receipts each month",
            "Checks the bank line by line",
            "Exports twice to be sure",
            "Would hand over the matching",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "WRITTEN",
                "Before we start: how many companies do you keep the books for?",
                (
                    "Fourteen, most of them restaurants.",
                    "One, but with six branches.",
                    "About thirty, together with a colleague.",
                    "Seven, and my sister's yoga studio.",
                ),
            ),
            Prompt(
                "MULTIPLE_CHOICE",
                "Which of these tools do you have open when you close a month?",
                ("An accounting program", "A spreadsheet", "The bank's website", "E-mail", "A scanner app"),
                several=True,
            ),
        ),
        talk=(
            (
                "When does closing the month begin for you?",
                "On the first working day, when the statements are in.",
                "In my head on the twenty-fifth, when I ask for receipts.",
                "When the last client has answered, so never.",
            ),
            (
                "Can you walk me through the first hour?",
                "I download the statements and match them line by line.",
                "I open last month's file, because I note there what was odd.",
                "I write to everybody whose receipts are missing.",
            ),
            (
                "Which part takes longest?",
                "Receipts. There are always three that nobody can find.",
                "Payments that cover several invoices at once.",
                "Foreign currencies, since each bank rounds in its own way.",
            ),
            (
                "How do you know that you are done?",
                "When the difference is zero. One cent is not zero.",
                "I have a checklist of twenty-two points in a spreadsheet.",
                "I print the balance and sleep on it.",
            ),
            (
                "What happened the last time the numbers did not agree?",
                "A payment had been booked twice, with two dates.",
                "Somebody had changed January after we had closed it.",
                "It took a day, and it was a typing error of mine.",
            ),
            (
                "What would you hand over to a machine?",
                "The matching, if it shows me what it was not sure of.",
                "The reminders to clients.",
                "Nothing that I have to sign.",
            ),
            *_CLOSING,
        ),
    ),
    Study(
        "Concept interviews for a shared wallet",
        remarks=(
            "Splits the rent by income",
            "Fears to look mean",
            "Would share groceries but not gifts",
            "Asks who may take money out",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "WRITTEN",
                "Before we start: with whom do you share costs?",
                (
                    "With two flatmates, rent and internet.",
                    "With my partner, everything but clothes.",
                    "With my band, since we bought a van.",
                    "With my brother, for our mother's care.",
                ),
            ),
            Prompt(
                "MULTIPLE_CHOICE",
                "How do you settle shared costs today?",
                ("Bank transfer", "A splitting app", "Cash", "A joint account", "We take turns"),
                several=True,
            ),
        ),
        talk=(
            (
                "Tell me about the last thing that you paid for together.",
                "A washing machine. I paid, and two of us still owe me.",
                "Groceries, yesterday. We take turns, more or less.",
                "A weekend by the sea with four others.",
            ),
            (
                "How did you settle it?",
                "I sent a message with the amount and waited.",
                "We have an app for that, but only three of us use it.",
                "In cash, in an envelope on the kitchen table.",
            ),
            (
                "What is unpleasant about it?",
                "Asking twice. I feel mean.",
                "Nobody remembers what the eleven euros were for.",
                "That the one with the better salary always pays first.",
            ),
            (
                "Here is the idea: a wallet that all of you can pay from. What do you think?",
                "I would put in the same each month and not think about it.",
                "I would want to see who paid for what.",
                "With flatmates yes, with colleagues no.",
            ),
            (
                "Who should be allowed to take money out?",
                "Nobody alone, if it is more than fifty euros.",
                "Everybody, or it is not shared.",
                "The one who set it up, and one more.",
            ),
            (
                "What would keep you from using it?",
                "If everyone needed a new card.",
                "If I could not get out when I move.",
                "A fee. Any fee.",
            ),
            *_CLOSING,
        ),
    ),
)
