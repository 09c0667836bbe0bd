"""Reading the brief at the end of a prompt."""

import time

from generation.simulated.brief import Brief, read_brief

PROMPT = """You are a planner. Write a conversation.

<brief>
<tier>Edge case</tier>
<persona>Newly divorced parent</persona>
<persona_description>41, two children &lt;both at school&gt;</persona_description>
<emotion>Anxious</emotion>
<topic>Rebuilding an
 emergency fund</topic>
<intent>Seek reassurance</intent>
<tone>Warm & plain</tone>
<required_elements>
- emergency fund | rainy-day fund

* next step
- |
</required_elements>
<source title="Say "no" kindly: a guide">
First paragraph.

Second paragraph &lt; first.
</source>
</brief>
"""


def test_every_tag_is_read_as_plain_text() -> None:
    brief = read_brief(PROMPT)

    assert brief.tier == "edge_case"
    assert brief.persona == "Newly divorced parent"
    assert brief.persona_description == "41, two children <both at school>"
    assert brief.topic == "Rebuilding an emergency fund"
    assert brief.tone == "Warm & plain"
    assert brief.required_elements == ("emergency fund | rainy-day fund", "next step")
    assert brief.source_text == "First paragraph.\n\nSecond paragraph < first."


def test_a_source_title_may_hold_quotation_marks() -> None:
    assert read_brief(PROMPT).source_title == 'Say "no" kindly: a guide'


def test_what_the_prompt_does_not_say_is_empty() -> None:
    assert read_brief("Say hello.") == Brief()
    assert read_brief("<brief>\n</brief>") == Brief()
    assert read_brief(PROMPT).topic_description == ""


def test_of_several_briefs_the_last_counts() -> None:
    prompt = "An example:\n<brief><topic>Old</topic></brief>\nNow yours:\n<brief><topic>New</topic></brief>"

    assert read_brief(prompt).topic == "New"


def test_tags_without_an_end_and_a_brief_without_an_end_are_tolerated() -> None:
    brief = read_brief("<brief>\n<topic>Moving house\n<emotion>Sad</emotion>\n<source>\nCall early.")

    assert (brief.topic, brief.emotion) == ("Moving house", "Sad")
    assert (brief.source_title, brief.source_text) == ("", "Call early.")


def test_reading_takes_linear_time() -> None:
    hostile = "<brief>" + "<source " * 50_000 + '<source title="' + '" ' * 50_000 + "<topic" * 50_000

    started = time.process_time()
    read_brief(hostile)

    assert time.process_time() - started < 1.0
