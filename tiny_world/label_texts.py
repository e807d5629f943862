"""Templates of labelled sentences, label -> a template a line (see phrases.py)."""

from __future__ import annotations

SENTIMENT = {
    "Positive": """
[The|This] {place} was [wonderful|lovely|a joy to visit] and the staff were [friendly|helpful|charming].
I [loved|adored|enjoyed] [the|my] {food} [here|so much]; it was [delicious|fresh and tasty|perfect].
[Great|Excellent|Superb] {thing}, [it works perfectly|I would buy it again|worth every coin].
{name} [recommends|praised] this {place}: [clean|quiet|beautiful] and [cheap|welcoming].
[What a|Such a] [brilliant|fantastic|splendid] book; I [laughed|smiled] all the way through.
The new {thing} is [pretty|strong|well made] and [makes me happy|I am glad I bought it].
[Best|Nicest] {food} in {city}, [fresh|tasty|wonderful] every [time|{day}].""",
    "Negative": """
[The|This] {place} was [awful|dirty|far too noisy] and the staff were [rude|unhelpful|lazy].
I [hated|disliked|regretted] [the|my] {food} [here|so much]; it was [cold and stale|burnt|disgusting].
[Terrible|Poor|Useless] {thing}, [it broke in a day|I want my money back|a waste of money].
{name} [complained about|warned us about] this {place}: [dirty|crowded|ugly] and [expensive|unfriendly].
[What a|Such a] [boring|dull|horrible] book; I [yawned|fell asleep] after ten pages.
The new {thing} is [ugly|weak|badly made] and [makes me angry|I am sorry I bought it].
[Worst|Saddest] {food} in {city}, [stale|cold|tasteless] every [time|{day}].""",
}

EMOTION = {
    "Happy": """
{name} [smiled|laughed|sang] all day because [{name2} came to visit|the sun was out].
[Hurray|Wonderful], we won the {sport} match and [danced|cheered] until {day}!
{name} [jumped for joy|grinned|beamed] when the present arrived.
What a lovely {day}, I [feel great|feel like singing]!""",
    "Sad": """
{name} [cried|wept|sobbed] because [the {animal} died|{name2} moved away].
[Tears|Big tears] ran down my face when we said goodbye at the {place}.
I [miss|long for] {name2} and [feel heavy|my heart is broken].
{name} [sighed|looked down] and felt lonely all {day}.""",
    "Angry": """
{name} [shouted|yelled|slammed the door] because [{name2} broke the {thing}|somebody stole the {thing}].
How dare you [take|touch] my {thing}, {name2}! I am [furious|mad]!
{name} [stamped on the floor|banged on the table] and was furious with {name2}.
I [hate it|boil with rage] when {name2} lies to me!""",
    "Afraid": """
{name} [trembled|shook|hid under the bed] when [the thunder roared|it got dark].
Help, there is a {animal} behind the {thing} and I am [scared|frightened]!
{name} [was scared|dared not move|screamed] in the dark {place}.
My knees [tremble|shake] at the [thought of ghosts|sight of a {animal}].""",
}

TOPIC = {
    "Sport": """
{city} [wins|loses] the {sport} [final|match|cup] [by two goals|on {day}]
[Young|Fast] {sport} [player|champion] {name} [breaks|sets] a record
[Coach|Captain] {name} leaves the {sport} team of {city}""",
    "Food": """
[Cook|Baker] {name} shares a recipe for {food} soup
[New|Popular] restaurant in {city} serves {food} for [breakfast|dinner|lunch]
How to [bake|fry|roast] {food} in [ten minutes|a hot oven]""",
    "Weather": """
[Heavy|Light] [rain|snow] [expected|falls] in {city} on {day}
[Storm|Strong wind|Thick fog] [hits|reaches] {country} [this week|in {month}]
[Sunny|Cloudy|Frosty] skies over {city} [until|from] {day}""",
    "Travel": """
[Cheap|New] flights from {city} to {country} in {month}
[Ten|Best] hotels for a holiday in {country}
[Tourists|Passengers] wait for the train to {city}""",
    "Work": """
[Factory|Company] in {city} hires {n} workers
[Office staff|Workers] in {country} ask for higher wages
{name} becomes the new boss of a company in {city}""",
    "Animals": """
[Baby {animal}|Rare {animal}] born at the {city} zoo
Vet saves [a lost|an injured] {animal} [near|in] {city}
[Wild {animal}|Escaped {animal}] seen in a garden, keeper says""",
}

FORMALITY = {
    "Formal": """
Dear [Sir|Madam], I am writing [to enquire about|regarding] the {thing}.
We [kindly|respectfully] [request|ask] that guests leave the {place} by {day}.
[Yours sincerely|Yours faithfully], [Mr|Mrs] {name}, {job}.
It is [a pleasure|an honour] to [inform|invite] you [regarding|to] our meeting in {city}.
[Mr|Mrs] {name} regrets to inform you that the {place} is closed.""",
    "Informal": """
[Hey|Hiya|Yo] {name}, [wanna|gonna] see the {thing}?
[Yeah|Nope|Dunno], [the {place}'s kinda boring|that {food}'s yummy], mate.
[Cheers|Catch you later|See ya], {name}!
[Hey|Yo], [gimme|grab] that {thing}, [dude|buddy|pal].
[Wow|Hey], that {animal} is [super cute|kinda cool], [dude|mate]!""",
}

URGENCY = {
    "Urgent": """
[Help|Quick], the {place} is on fire, [call|send] the firefighters [now|at once]!
{name} [fell|is bleeding] and needs an ambulance [immediately|right away]!
The boat is sinking near {city}, send help immediately!
[Hurry|Run], a {animal} has escaped [from the zoo|near the school]!
Water is pouring into the {place}, [hurry|come quickly]!""",
    "Not urgent": """
[Whenever you like|Some day], show me your {thing}.
The {place} will be painted next {month}; there is [no rush|plenty of time].
[When you have time|No hurry], [tell me|write] about your trip to {country}.
{name} [might|may] buy a {colour} {thing} [some day|next year].
Shall we have a chat about {sport} [next month|next year], {name}?""",
}

SPAM = {
    "Spam": """
[Congratulations|Lucky you], you have won a free {thing}, click now!
Earn {n} thousand coins [from home|without work], [click here|act now]!
[Cheap|Free] {thing} offer, [click here|buy now] before {day}!
You are our lucky winner, send your [password|bank number] to claim a prize!
[Lose weight|Get rich] fast with this [secret trick|magic {food}]!""",
    "Not spam": """
Hi {name}, [are we|shall we] still meeting at the {place} on {day}?
Dear {name}, thank you for [the {thing}|your letter], [love|yours], {name2}.
{name}, [dinner|lunch] is at seven, [bring|fetch] the {food}.
The {sport} lesson on {day} starts at [nine|ten], {name2}.
[Mum|Grandma] says {name} left a {thing} at the {place}.""",
}

MANNERS = {
    "Polite": """
[Could|Would] you [kindly|please] [pass|hand] me the {thing}?
[Excuse me|Pardon me], {name}, may I [borrow|use] your {thing}?
[Thank you|Many thanks] for the {food}, {name}, it was [kind|lovely] of you.
May I [sit here|come to the {place}] with you, {name}?
I [am sorry|beg your pardon] for being late, {name}.""",
    "Rude": """
[Shut up|Be quiet], {name}, nobody [asked|likes] you!
[Give|Hand] me that {thing}, you [fool|idiot]!
Your {food} [stinks|smells], [stupid|you fool]!
[Move|Get lost], {name}, you [idiot|lazy {animal}]!
Nobody cares about your [stupid|ugly] {thing}, {name}.""",
}

INTENT = {
    "Thanks": """
[Thank you|Many thanks|Thanks], {name}, for the [{thing}|{food}].
I am [so grateful|grateful], {name}, that you fed my {animal}.
{name}, thanks for [helping|driving] me to the {place}.""",
    "Complaint": """
My {thing} [broke|is broken] after [one day|{n} days] and nobody [cares|answers]!
The {food} at the {place} was [cold|stale] and [too salty|tasted bad].
{name} is [always late|too loud] and I am [fed up|tired of it].""",
    "Request": """
[Could|Can] you [lend|bring|give] me [a|your] {thing}, {name}?
[Would|Will] you [feed|walk] the {animal} on {day}?
Can I [borrow|have] some {food}, {name}?""",
    "Advice": """
You [should|ought to] [wear|take] a warm coat in {city}.
[If I were you, I would|It is wise to] [rest|sleep more] before {day}.
You [should|ought to] [drink more water|try the {food}], {name}.""",
}

TENSE = {
    "Past": """
{name} [walked|travelled|drove] to the {place} [yesterday|last {day}].
Last {month} {name} [bought|sold|lost] a {thing}.
{name} and {name2} [played|watched|won] {sport} [yesterday|long ago].
The {animal} [slept|hid|sat] behind the {thing} [last night|yesterday].""",
    "Present": """
{name} is [walking|travelling|driving] to the {place} now.
[Now|Right now] {name} is [buying|selling|looking for] a {thing}.
{name} and {name2} are [playing|watching] {sport} [now|at this moment].
The {animal} is [sleeping|hiding|sitting] behind the {thing} now.""",
    "Future": """
{name} will [walk|travel|drive] to the {place} [tomorrow|next {day}].
Next {month} {name} will [buy|sell|repair] a {thing}.
{name} and {name2} [will|shall] [play|watch] {sport} tomorrow.
The {animal} [will sleep|is going to sleep] behind the {thing} [tonight|tomorrow].""",
}
