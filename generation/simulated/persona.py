"""A persona's description, written about somebody, turned into what that person would say of themselves.

Only what is understood is used: a clause that does not fit one of the patterns is left out.
"""

import re
from itertools import takewhile

from generation.simulated.phrases import words
from generation.simulated.wording import capital, with_article

LONGEST_LINE = 18  # words
LONGEST_DESCRIPTION = 1_000  # characters; the rest is not read
IRREGULAR = {"is": "am", "are": "am", "were": "was", "has": "have", "does": "do", "goes": "go"}
PRONOUNS = {
    "he": {"he": "I", "his": "my", "him": "me", "himself": "myself"},
    "she": {"she": "I", "her": "my", "hers": "mine", "herself": "myself"},
    "they": {"they": "I", "their": "my", "them": "me", "themselves": "myself", "themself": "myself"},
}
# How somebody talks or feels is shown, not said; and what a description says about its reader is not theirs.
_MANNER = frozenset(words("manner"))
_VERBS = "|".join(words("verbs"))
_CONJUGATED = re.compile(rf"(\b(?:and|but|or|also|never|often|still|always),? )({_VERBS})\b")
_AGE = re.compile(r"^(\d{2})[- ]year[- ]old(?:,)? ", re.IGNORECASE)
_COUNTED = re.compile(
    r"^(?:no|one|two|three|four|five|six|a|\d{1,2}) (?:\w+ )?"
    r"(?:child|children|kids?|sons?|daughters?|teenagers?|grandchildren|dogs?|cats?|jobs?|loans?|siblings?)\b"
)
_STATE = re.compile(
    r"^(?:(?:recently|newly|happily|just|still|semi-|long) ?)?(?:married|divorced|separated|widowed|single|"
    r"retired|self-employed|unemployed|engaged|pregnant|employed|expecting|living|working|renting|raising|"
    r"caring|worried|concerned|interested|tired|afraid|new to|used to|proud)\b"
)
_PAST = re.compile(r"^(?:\w{3,}ed|took|lost|left|went|began|got|bought|sold|had|came|became|found|grew) ")
_PRESENT = re.compile(rf"^(?:{_VERBS}) ")
_WHO = re.compile(rf"^((?:(?! with |,).)+?) who ({_VERBS}|\w+ed|avoids|never|just) ")
_PLURAL = re.compile(r"(?<!s)(?<!i)(?<!u)s$")


def self_portrait(name: str, description: str) -> tuple[str, ...]:
    """Sentences in the first person, the most telling one first; none when nothing can be understood."""
    description = description[:LONGEST_DESCRIPTION]
    gender = _gender(description)
    lines = [line for clause in _clauses(description) if (line := _line(clause, gender))]
    by_name = _from_name(name)
    if lines and re.fullmatch(r"I'm \d\d\.", lines[0]) and by_name and by_name[0].startswith("I'm "):
        lines[0] = f"{lines[0][:-1]}, {by_name[0][4:]}"
    elif not lines or not lines[0].startswith(("I'm ", "We're ")):
        lines = [*by_name, *lines]
    return tuple(dict.fromkeys(lines))


def _gender(description: str) -> str:
    """The pronoun by which the description speaks of the person; "" when of several people, or of none."""
    subjects = [word.lower() for word in re.findall(r"(?:^|[.;] )(He|She|They|he|she|they)\b", description)]
    if subjects:
        return subjects[0] if len(set(subjects)) == 1 else "several"
    owners = {"his": "he", "her": "she", "their": "they"}
    spoken = {owners[word.lower()] for word in re.findall(r"\b(his|her|their)\b", description, re.IGNORECASE)}
    return spoken.pop() if len(spoken) == 1 else ""


def _clauses(description: str) -> list[str]:
    """Sentences, or, where the first is a list of remarks ("41, two children, …"), the remarks."""
    sentences = [part.strip(" .…") for part in re.split(r"(?<=[\w)]{2})[.;…] +|;", description)]
    sentences = [sentence for sentence in sentences if sentence]
    if sentences and not re.match(r"(?:An?|The|He|She|They|His|Her|Their|[A-Z]\w+ is) ", sentences[0]):
        return [piece.strip() for piece in sentences[0].split(",")] + sentences[1:]
    return sentences


def _line(clause: str, gender: str) -> str:
    said = _noun_phrase(clause) or _subject_clause(clause, gender) or _remark(clause) or _own_clause(clause)
    said = _short(_in_first_person(said, gender))
    is_manner = not _MANNER.isdisjoint(said.lower().replace(",", " ").split())
    return f"{said}." if said and not is_manner else ""


def _noun_phrase(clause: str) -> str:
    """ "A 35-year-old electrician with his own van" -> "I'm 35, an electrician with his own van"."""
    found = re.match(r"(?:[A-Z][\w'-]+ is an?|An?) (.+)", clause)
    if not found:
        return ""
    age = _AGE.match(found[1])
    noun = with_article(found[1][age.end() :] if age else found[1])
    noun = _WHO.sub(lambda who: f"{who[1]}, and I {_first_person_verb(who[2])} ", noun)
    return f"I'm {age[1]}, {noun}" if age else f"I'm {noun}"


def _subject_clause(clause: str, gender: str) -> str:
    found = re.match(r"(?:He|She|They|he|she|they) (\S+) (.+)", clause)
    if not found or gender == "several":
        return ""
    return f"I {_first_person_verb(found[1])} {found[2]}".replace("I am ", "I'm ", 1)


def _remark(clause: str) -> str:
    if re.fullmatch(r"\d{2}", clause):
        return f"I'm {clause}"
    lowered = clause[:1].lower() + clause[1:]
    if _COUNTED.match(lowered):
        return f"I have {lowered}"
    if _STATE.match(lowered):
        return f"I'm {lowered}"
    if re.match(r"in (?:his|her|their) ", lowered):
        return f"I'm {lowered}"
    if _PAST.match(lowered):
        return f"I {lowered}"
    if _PRESENT.match(lowered):
        verb, _, rest = lowered.partition(" ")
        return f"I {_first_person_verb(verb)} {rest}"
    return ""


def _own_clause(clause: str) -> str:
    """A clause with a subject of its own: "The divorce became final eight months ago"."""
    found = re.match(r"(?:The|His|Her|Their) [\w' -]+ (?:is|was|are|were|became|runs|has|had|died)\b", capital(clause))
    return clause if found else ""


def _in_first_person(text: str, gender: str) -> str:
    if not text:
        return ""
    own = PRONOUNS.get(gender, {})
    text = re.sub(r"\b[A-Za-z]+\b", lambda found: own.get(found[0].lower(), found[0]), text)
    if re.search(r"\bI\b.*\bI (?:is|has|does|was)\b", text):
        return ""
    return _CONJUGATED.sub(lambda found: found[1] + _first_person_verb(found[2]), text)


def _first_person_verb(verb: str) -> str:
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb in ("was", "less") or not verb.endswith("s") or verb.endswith("ss"):
        return verb
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    return verb[:-2] if verb.endswith(("sses", "shes", "ches", "xes", "zes")) else verb[:-1]


def _short(text: str) -> str:
    """The text up to the last comma that keeps it speakable, or "" when it cannot be cut."""
    text = capital(re.sub(r" \([^()]*\)", "", text))
    if text.startswith(("I ", "We ")):
        text = text.split(", ")[0]
    # "She is a widow, has a cat": what she has is still said of somebody else.
    pieces = list(takewhile(lambda piece: not _PRESENT.match(piece), text.split(", ")))
    while len(" ".join(pieces).split()) > LONGEST_LINE and len(pieces) > 1:
        pieces.pop()
    if len(pieces) > 1 and pieces[-1].startswith(("and ", "but ", "so ")):
        pieces.pop()
    short = ", ".join(pieces)
    return short if 2 <= len(short.split()) <= LONGEST_LINE and "(" not in short else ""


def _from_name(name: str) -> list[str]:
    """What the persona's name alone allows to say: "I'm a newly divorced parent." """
    first, dash, _ = name.partition(" - ")
    if dash:
        return [f"I'm {first}."] if first.isalpha() else []
    if re.match(r"couple\b", name, re.IGNORECASE):
        return [f"We're {with_article(_uncapitalized(name))}."]
    head = re.split(r" (?:with|near|in|of|at|on|who|from|without|facing|after|before)\b|,", name)[0]
    if not name or _PLURAL.search(head) or head.lower().startswith("the ") or not name.isascii():
        return []
    return [f"I'm {with_article(_uncapitalized(name))}."]


def _uncapitalized(name: str) -> str:
    """The name as a description: "Small Business Owner" -> "small business owner"; acronyms stay."""
    return " ".join(word.lower() if word[1:].islower() else word for word in name.split())
