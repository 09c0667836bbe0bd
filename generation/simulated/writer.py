"""Writes what simulated Claude says: a whole conversation for a brief, or a short answer.

A conversation is assembled from exchanges. In each, the user answers the adviser's last question and asks
something (a beat), and the adviser takes the answer up, answers the question, adds a passage of the source
and asks back. The same brief and seed give the same conversation.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.simulated import elements, families
from generation.simulated.brief import Brief
from generation.simulated.details import make_details
from generation.simulated.passages import passages, quotable
from generation.simulated.persona import self_portrait
from generation.simulated.phrases import bank, words
from generation.simulated.plan import choose_course
from generation.simulated.scribe import Scribe
from generation.simulated.titles import make_title
from generation.simulated.wording import joined, small, started_small, word_count

USER_WORDS = range(12, 61)  # per turn
ADVISER_WORDS = 58  # a middle reply with fewer gets another sentence
BEATS = {
    "explain": "beats_explain",
    "worry": "beats_explain",
    "options": "beats_choices",
    "particulars": "beats_choices",
    "next": "beats_choices",
    "conflict": "beats_hard",
    "limits": "beats_hard",
}
ON_THE_SUBJECT = ("explain", "options", "next")  # elsewhere a passage of the source comes as an aside
_REPLYING = re.compile(rf"(?:{'|'.join(words('replying'))})\b", re.IGNORECASE)
_ASKING = re.compile(rf"(?:{'|'.join(words('asking'))}) ", re.IGNORECASE)

Conversation = dict[str, Any]
Beat = dict[str, Any]
Clarifier = dict[str, Any]


def write_conversation(brief: Brief, *, seed: int, weak: bool = False) -> Conversation:
    """A conversation as `{"title": str, "turns": [{"role": str, "content": str}, …]}`, user first.

    It has 8 to 16 turns. A weak one has six turns, terse and generic, such as a reviewer rejects.
    """
    rng = random.Random(seed)
    return _write_weak(brief, rng) if weak else _Composition(brief, rng).write()


def write_answer(prompt: str, *, seed: int) -> str:
    """A short plain reply, two to four sentences, to a prompt that asks for no conversation."""
    rng = random.Random(seed)
    scribe = Scribe(rng, {})
    phrases = bank("answers")
    words = re.findall(r"[\w'’,-]+", prompt[-400:])[-8:]
    about = [scribe.adviser(phrases["about"], quote=" ".join(words).strip(" ,-"))] if words else []
    return " ".join(
        [
            scribe.adviser(phrases["opening"]),
            *about,
            scribe.adviser(phrases["body"]),
            *([scribe.adviser(phrases["closing"])] if scribe.chance(0.6) else []),
        ]
    )


@dataclass
class _Turn:
    role: str
    sentences: list[str]
    question: str = ""

    @property
    def content(self) -> str:
        return " ".join(part for part in [*self.sentences, self.question] if part)


@dataclass
class _Source:
    """The passages that have not been said yet, in order, and the last one that has."""

    left: list[str]
    titled: bool = False  # its title has been named
    last: str = ""
    quoted: set[str] = field(default_factory=set)

    def take(self) -> str:
        self.last = self.left.pop(0) if self.left else ""
        return self.last


class _Composition:
    """One conversation in the making."""

    def __init__(self, brief: Brief, rng: random.Random) -> None:
        self.brief = brief
        self.emotion = families.emotion_family(brief.emotion)
        self.intent = families.intent_family(brief.intent)
        self.tone = families.tone_family(brief.tone, self.emotion)
        self.scribe = Scribe(rng, make_details(brief, rng), formal=self.tone == "formal")
        self.course = choose_course(brief.tier, self.intent, rng)
        self.source = _Source(_chosen_passages(brief.source_text, len(self.course) + 2, rng))
        self.portrait = list(self_portrait(brief.persona, brief.persona_description))
        self.introduced = False
        self.feelings = bank("emotions")[self.emotion]
        self.joints = bank("explanations")
        self.asked: Clarifier | None = None  # the adviser's open question
        self.next_beat: Beat = {}  # the step that was suggested
        self.turns: list[_Turn] = []

    def write(self) -> Conversation:
        self._open()
        for position, kind in enumerate(self.course):
            self._exchange(kind, position)
        self._close()
        self._add_required()
        title = make_title(self.brief, self.emotion, self.scribe.rng)
        return _conversation(title, [(turn.role, turn.content) for turn in self.turns])

    # The first exchange

    def _open(self) -> None:
        self._open_user()
        acknowledged = self.scribe.adviser(self.feelings["acknowledge"])
        if self.emotion in families.HEAVY:
            gentle = [self.scribe.adviser(self.joints["orient_gentle"]) for _ in range(2)]
            reply = [acknowledged, self.scribe.adviser(self.feelings["acknowledge"]), *gentle]
            self.turns.append(_Turn("assistant", reply, self._clarify(early=True)))
        else:
            reply = [acknowledged, self.scribe.adviser(self.joints["orient"]), *self._outline()]
            self._say_adviser(reply, self._clarify(early=True))

    def _open_user(self) -> None:
        """Who speaks, about what, and how it feels; the greeting goes first when it gets long."""
        phrases = bank("opening")
        lead, ask = self.scribe.user(phrases["lead"]), self.scribe.user(phrases["ask"][self.intent])
        about = [*self.portrait[:1], self.scribe.user(phrases["situation"])]
        middle = [*about, self._feeling()] if self.scribe.chance(0.7) else [self._feeling(), *about]
        self._say_user([lead, *middle, ask], spare=[lead, *self.portrait[:1]])
        self.introduced = any(line in self.turns[0].sentences for line in self.portrait[:1])
        self.portrait = self.portrait[self.introduced :]

    def _feeling(self) -> str:
        if self.emotion == families.NEUTRAL and self.brief.emotion:
            return f'If I had to put one word on how I feel, it would be "{self.brief.emotion.lower()}".'
        return self.scribe.user(self.feelings["feeling"])

    def _outline(self) -> list[str]:
        """The topic in the words of its description, or a first fact about it, or nothing yet."""
        described = re.split(r"(?<=[a-z)]\.) +(?=[A-Z])", self.brief.topic_description)[0].rstrip(" .!?;,")
        if described and ":" not in described and self.scribe.chance(0.5):
            lead = self.scribe.adviser(self.joints["description_lead"])
            return [f"{lead} {started_small(described, self.brief.source_text)}."]
        return self._fact(on_subject=True) if self.scribe.chance(0.6) else []

    # The exchanges between

    def _exchange(self, kind: str, position: int) -> None:
        beat = self.scribe.draw(bank(BEATS[kind])[kind])
        self._ask(beat, position)
        taken_up = self._take_up()
        fact = self._fact(on_subject=kind in ON_THE_SUBJECT)
        if kind == "next":
            self._suggest(beat, taken_up, fact)
        else:
            reply = [taken_up, *self._answer(beat), *fact, *self._touch()]
            self._say_adviser(reply, self._clarify(after=kind))

    def _suggest(self, beat: Beat, taken_up: str, fact: Sequence[str]) -> None:
        """The next step: it comes last, so that the question about it follows."""
        background = list(fact) or [self.scribe.adviser(self.joints["principle"])]
        background.append(self.scribe.adviser(self.joints["so_now"]))
        step = [self.scribe.adviser(beat["answers"]), self.scribe.adviser(beat["supports"])]
        self.asked, self.next_beat = None, beat
        self._say_adviser([taken_up, *background, *step], self.scribe.adviser(bank("closing")["doable"]))

    def _answer(self, beat: Beat) -> list[str]:
        answer = self.scribe.adviser(beat["answers"])
        if self.asked and (_REPLYING.match(answer) or self.scribe.chance(0.6)):
            answer = joined(self.scribe.adviser(self.joints["pivot"]), answer, f" {answer.lower()}")
        return [answer, self.scribe.adviser(beat["supports"])]

    def _ask(self, beat: Beat, position: int) -> None:
        """The user's turn: an answer or a reaction, perhaps a feeling or a particular, then a question."""
        first = self.scribe.user(self.asked["answers"]) if self.asked else self._reaction()
        extra: list[str] = []
        if position == len(self.course) - 2:
            extra = [self.scribe.user(self.feelings["easing"])]
        elif self.portrait and (self.brief.tier != "template" or not self.introduced):
            extra = [joined(self.scribe.user(self.joints["self_lead"]), self.portrait.pop(0))]
            self.introduced = True
        question = self.scribe.user(beat["asks"])
        short = word_count(f"{first} {question}") < USER_WORDS.start
        if _ASKING.match(question) and (short or self.scribe.chance(0.35)):
            question = joined(self.scribe.user(self.joints["bridge"]), question, f" {question.lower()}")
        self._say_user([first, *extra, question], spare=extra)

    def _reaction(self) -> str:
        quote = quotable(self.source.last)
        if quote and quote not in self.source.quoted and self.scribe.chance(0.6):
            self.source.quoted.add(quote)
            return self.scribe.user(self.joints["reaction_quote"], quote=small(quote))
        return self.scribe.user(self.joints["reaction"])

    def _take_up(self) -> str:
        """The adviser on the answer to their own question, or on the question that they were asked."""
        return self.scribe.adviser(self.asked["reactions"] if self.asked else self.joints["validation"])

    def _fact(self, *, on_subject: bool) -> list[str]:
        """The next passage of the source with a lead-in, perhaps with a remark on it; or nothing."""
        if not self.source.left or not self.scribe.chance(0.95 if on_subject else 0.55):
            return []
        fact = self.source.take()
        leads = self.joints[self._fact_bank(on_subject)]
        lead = self.scribe.adviser([lead for lead in leads if ":" not in fact or not lead.endswith(":")])
        said = joined(lead, fact)
        return [said, self.scribe.adviser(self.joints["so_what"])] if self.scribe.chance(0.45) else [said]

    def _fact_bank(self, on_subject: bool) -> str:
        if not on_subject:
            return "fact_aside"
        if self.brief.source_title and not self.source.titled and self.scribe.chance(0.4):
            self.source.titled = True
            return "fact_lead_title"
        return "fact_lead"

    def _touch(self) -> list[str]:
        touches = bank("tones")["touches"].get(self.tone)
        return [self.scribe.adviser(touches)] if touches and self.scribe.chance(0.4) else []

    def _clarify(self, *, early: bool = False, after: str = "") -> str:
        """A question that the user's next turn answers, or none."""
        self.asked = None
        if not early and after != "options" and self.scribe.chance(0.35):
            return ""
        fitting = [one for one in bank("clarifiers")["clarifier"] if self._fits(one, early, after)]
        self.asked = self.scribe.draw(fitting)
        return self.scribe.adviser(self.asked["questions"])

    def _fits(self, clarifier: Clarifier, early: bool, after: str) -> bool:
        if early and self.emotion == "hopeless":
            return bool(clarifier.get("only") == self.emotion)
        wanted_after = "options" if after == "options" else ""
        return (
            "only" not in clarifier
            and clarifier.get("after", "") == wanted_after
            and (bool(wanted_after) or clarifier.get("early", False) == early)
        )

    # The last exchange

    def _close(self) -> None:
        phrases = bank("closing")
        thanks = [self.scribe.user(self.feelings["settled"]), self.scribe.user(phrases["thanks"])]
        agreed = [self.scribe.user(phrases["agreement"]), self.scribe.user(self.next_beat["plan"])]
        self._say_user(agreed + thanks, spare=agreed[:1])
        reply = [
            self.scribe.adviser(phrases["farewell"]),
            self.scribe.adviser(phrases["summary"]),
            self.scribe.adviser(self.next_beat["recap"]),
            self.scribe.adviser(phrases["door"]),
        ]
        self.turns.append(_Turn("assistant", reply))

    # Turns

    def _say_user(self, sentences: Sequence[str], *, spare: Sequence[str] = ()) -> None:
        """A user turn; of its sentences the spare ones go first when it gets too long."""
        kept = list(sentences)
        for sentence in spare:
            if word_count(" ".join(kept)) >= USER_WORDS.stop:
                kept.remove(sentence)
        if word_count(" ".join(kept)) < USER_WORDS.start:
            kept.insert(1, self.scribe.user(self.joints["reaction"]))
        self.turns.append(_Turn("user", kept))

    def _say_adviser(self, sentences: Sequence[str], question: str) -> None:
        said = list(sentences)
        if word_count(" ".join(said)) < ADVISER_WORDS:
            said.append(self.scribe.adviser(self.joints["principle"]))
        self.turns.append(_Turn("assistant", said, question))

    def _add_required(self) -> None:
        """Say every required element that has not come up, spread over the adviser's turns."""
        replies = [turn for turn in self.turns if turn.role == "assistant"]
        places = replies[:-2]  # the next step and the farewell stay as they are
        self.scribe.rng.shuffle(places)
        for element in self.brief.required_elements:
            spoken = "\n".join(turn.content for turn in replies)
            if any(elements.is_said(phrase, spoken) for phrase in elements.alternatives(element)):
                continue
            phrase = elements.best_alternative(element)
            turn = places.pop(0)
            places.append(turn)
            sentence = self.scribe.adviser(elements.sentences_for(phrase), element=phrase)
            turn.sentences.append(sentence)


def _chosen_passages(text: str, count: int, rng: random.Random) -> list[str]:
    """Up to `count` passages, another choice for each seed, in the source's order."""
    every = passages(text)
    return [every[place] for place in sorted(rng.sample(range(len(every)), min(count, len(every))))]


def _write_weak(brief: Brief, rng: random.Random) -> Conversation:
    phrases = bank("weak")
    scribe = Scribe(rng, make_details(brief, rng))
    turns = [
        ("user", scribe.user(phrases["first"])),
        ("assistant", scribe.adviser(phrases["reply"])),
        ("user", scribe.user(phrases["middle"])),
        ("assistant", scribe.adviser(phrases["reply"])),
        ("user", scribe.user(phrases["last"])),
        ("assistant", scribe.adviser(phrases["goodbye"])),
    ]
    return _conversation(" ".join(scribe.adviser(phrases["title"]).split()[:9]), turns)


def _conversation(title: str, turns: Sequence[tuple[str, str]]) -> Conversation:
    return {"title": title, "turns": [{"role": role, "content": content} for role, content in turns]}
