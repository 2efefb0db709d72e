"""The tests of the sandbox in which participants think out loud. All texts are invented."""

from __future__ import annotations

from tap_usertesting.sandbox.study import DIFFICULT_TO_EASY, Prompt, Study

_WELCOME = Prompt("BLANK", "Please think out loud from here on. There are no wrong answers.")

SPOKEN_STUDIES = (
    Study(
        "First impressions of the new home page",
        remarks=(
            "Takes the picture for an advertisement",
            "Reads the headline aloud",
            "Finds the opening hours",
            "Misses the search",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "URL",
                "Look at the page for a minute without clicking. What is this company offering?",
                ("https://outdoor.example.com/", "https://outdoor.example.com/about"),
            ),
            Prompt(
                "WRITTEN",
                "Who do you think this page was made for?",
                (
                    "People who walk at the weekend, not climbers.",
                    "Families, because of the picture with the two children.",
                    "Someone who knows the brand already. It never says what they sell.",
                    "People of my age who want to buy one good jacket and keep it.",
                ),
            ),
            Prompt("FIGMA", "Use the prototype to find the shop nearest to you.", ("Home page, autumn",)),
            Prompt("RATING_SCALE", "How clear is it what this company offers?", ("Very unclear", "Very clear")),
            Prompt(
                "RANK_ORDER",
                "Put what you noticed on the page in order, first things first.",
                ("The big picture", "The headline", "The menu", "The offer of the week"),
            ),
            Prompt(
                "WRITTEN",
                "Tell us about anything that surprised you.",
                (
                    "That they repair jackets. I would have missed it if I had not scrolled.",
                    "There are no prices anywhere on the first screen.",
                    "The menu is at the bottom, which I only know from my phone.",
                    "Nothing surprised me, and I mean that as praise.",
                ),
            ),
        ),
        spoken=(
            "Okay, so I am on the home page now and the first thing I see is the big picture of the jacket.",
            "The headline says 'Ready for anything', and that could be insurance as well.",
            "I am looking for what they sell: jackets, tents, shoes. Outdoor things.",
            "There is a little map in the corner; I take it that it shows their shops.",
            "So this is the café around the corner of the shop, and it says it opens at nine.",
            "The two children in the picture make me think that it is for families.",
            "The words are friendly, but I still do not know what things cost.",
            "Here it says that they repair what they sold. That I like a lot.",
            "I would click on 'Women' now, but you told me not to click.",
            "The menu has six entries, and two of them mean the same to me.",
            "The offer of the week is a rucksack for eighty euros.",
            "I do not see a search, and that is what I always use first.",
            "There is a box about cookies over half of the page on my screen.",
            "If I had to say it in a sentence: a shop for people who like rain.",
        ),
    ),
    Study(
        "Returning an item from the mobile app",
        remarks=(
            "Looks for the return under 'Help'",
            "Relieved by the number of the return",
            "Misses the fee",
            "Hesitates over the reason",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "URL",
                "Open your orders and look at the last one. Could you send something back?",
                ("https://shop.example.com/orders", "https://shop.example.com/help/returns"),
            ),
            Prompt(
                "WRITTEN",
                "Where would you have looked for a return first?",
                (
                    "In the e-mail with the order, there is usually a link.",
                    "Under 'Orders', next to the item itself.",
                    "At the bottom of the page, because it is always there.",
                    "I would have called them.",
                ),
            ),
            Prompt("FIGMA", "Try to send back the second item of your last order.", ("Returns, version B",)),
            Prompt(
                "RATING_SCALE",
                "How confident are you that the return was accepted?",
                ("Not at all confident", "Very confident"),
            ),
            Prompt(
                "RANK_ORDER",
                "Put these ways to send it back in order, the one you would take first.",
                ("Drop it at a parcel shop", "Have it collected", "Bring it to a shop", "Swap it at the door"),
            ),
            Prompt(
                "WRITTEN",
                "Tell us about anything that surprised you.",
                (
                    "That I do not need to print anything.",
                    "The return costs three euros, and it says so only at the end.",
                    "It wanted a reason, and none of the reasons was mine.",
                    "I got a number for the return straight away.",
                ),
            ),
        ),
        spoken=(
            "I am in the app, and I am looking for my orders. They are behind this little person.",
            "Here is the last order, with the jacket and the shoes.",
            "I want to send back the shoes, and I see 'Buy again' but not 'Send back'.",
            "I would look for the return policy at the bottom of the page, because it is always there.",
            "Ah, there are three dots here, and 'Return' is the last of them.",
            "It asks why. They are too small, so 'Wrong size'.",
            "There are three options & they all look the same to me.",
            "My daughter would find this easily; my father would give up here.",
            "Anything under five euros I would not bother to send back.",
            "So I get a code to show at the parcel shop. No printing, that is good.",
            "Now it says three euros. Nobody told me that before.",
            "I would like to know when I get my money back.",
            "Good, it says that my request was received, with a number I can keep.",
            "If this were real I would make a picture of that number now.",
        ),
    ),
    Study(
        "Onboarding of the budget planner",
        remarks=(
            "Skips the connection to the bank",
            "Renames a category at once",
            "Asks who sees the data",
            "Wonders whether the limit is per week",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "URL",
                "Start the planner and go through the first three steps. What do you think it does for you?",
                ("https://planner.example.com/welcome", "https://planner.example.com/welcome/bank"),
            ),
            Prompt(
                "WRITTEN",
                "What did you expect to happen after the third step?",
                (
                    "A first look at last month, even an ugly one.",
                    "That it asks for my bank. I would have stopped there.",
                    "A list of categories that I can change.",
                    "To be done. I did not know that there were seven steps.",
                ),
            ),
            Prompt("FIGMA", "Try to set a limit for what you spend on food.", ("Planner, first week",)),
            Prompt("RATING_SCALE", "How easy or difficult was it to set the limit?", DIFFICULT_TO_EASY),
            Prompt(
                "RANK_ORDER",
                "Put these reasons to plan a budget in order, most important first.",
                ("Saving for a holiday", "Paying off a loan", "Knowing where it goes", "Sharing costs"),
            ),
            Prompt(
                "WRITTEN",
                "Tell us about anything that surprised you.",
                (
                    "It knew that my rent is a rent.",
                    "I could go on without connecting a bank, but the button for it is tiny.",
                    "It called coffee a luxury.",
                    "That I can share one category with my partner, and not all of them.",
                ),
            ),
        ),
        spoken=(
            "It says 'Welcome, let us find out where your money goes'. I know where it goes: the rent.",
            "Step one of seven. I would have liked to know that before I started.",
            "Now it wants to connect to my bank, and I do not want to do that on the first day.",
            "There is a 'Later' down here in grey; I would take that.",
            "It suggests categories: food, rent, transport, fun. I would rename fun.",
            "I set the limit for food to three hundred and it shows a green bar.",
            "I wonder whether that is per month or per week. It does not say.",
            "Today we do this in a spreadsheet, every first Sunday of the month.",
            "I like that I can share just one category with my partner.",
            "The chart is nice, but there is nothing in it yet, so it is a grey circle.",
            "It calls coffee a luxury, and I feel judged.",
            "Who sees this? I would look for that before I type in a salary.",
            "The reminder on Fridays I would switch off.",
            "I would give that a four out of five, if I can go on without the bank.",
        ),
    ),
    Study(
        "Comparing three delivery options",
        remarks=(
            "Takes the cheapest without reading",
            "Overlooks the parcel shop",
            "Wants a day, not a range",
            "Finds the map of parcel shops",
        ),
        prompts=(
            _WELCOME,
            Prompt(
                "URL",
                "You ordered a lamp. Look at the delivery options. What is the difference between them?",
                ("https://lamps.example.com/checkout/delivery", "https://lamps.example.com/help/delivery"),
            ),
            Prompt(
                "WRITTEN",
                "Which option would you take, and why?",
                (
                    "The parcel shop. Nobody is at home during the day.",
                    "Standard. I have lived without a lamp so far.",
                    "Express, if it really comes tomorrow.",
                    "The one with the time slot, because I work from home on Thursdays.",
                ),
            ),
            Prompt("FIGMA", "Choose a delivery for Thursday afternoon.", ("Delivery, three options",)),
            Prompt("RATING_SCALE", "How easy or difficult was it to tell the options apart?", DIFFICULT_TO_EASY),
            Prompt(
                "RANK_ORDER",
                "Put these delivery options in order, the one you would take first.",
                ("Standard", "Express", "Parcel shop", "Time slot"),
            ),
            Prompt(
                "WRITTEN",
                "Tell us about anything that surprised you.",
                (
                    "Express is only one day quicker and costs twice as much.",
                    "The price changed when I chose the delivery, and nobody told me why.",
                    "I can pick the parcel shop on a map.",
                    "There is no option to have it left with a neighbour.",
                ),
            ),
        ),
        spoken=(
            "So there are three boxes: standard, express and parcel shop.",
            "Standard says 'three to five days', and I would rather have a day.",
            "Express costs nine euros. For a lamp of thirty, that is a lot.",
            "The parcel shop is free, and there is one next to the station.",
            "I am not sure whether this button takes me back to the basket or straight to payment.",
            "The price changed when I chose express, and nobody told me why.",
            "There is a little leaf at one of them; I suppose that is the green one.",
            "I would take the parcel shop, because nobody is at home during the day.",
            "Oh, I can choose the shop on a map. That is good.",
            "It says 'delivery by 16 January', and then 'usually earlier'. Which one is it?",
            "I expected to see a summary before I pay.",
            "There is a fourth one, with a time slot, but only after I scroll.",
            "I like that it remembers my address.",
            "I would be done here, and I would have paid nothing for the delivery.",
        ),
    ),
)
