from __future__ import annotations

from sartor.catalog.source import MAX_EXAMPLES, Case, Finding, Findings


def test_a_case_is_counted_with_its_first_few_examples() -> None:
    findings = Findings()
    for number in range(20):
        findings.add(Case.NO_PHOTO, str(number))

    (finding,) = findings.snapshot()

    assert finding == Finding(case="rows without a photo", count=20, examples=("0", "1", "2", "3", "4"))
    assert len(finding.examples) == MAX_EXAMPLES


def test_the_case_of_a_finding_is_plain_text() -> None:
    findings = Findings()
    findings.add(Case.NO_PHOTO, "1")

    assert type(findings.snapshot()[0].case) is str


def test_a_snapshot_does_not_change_later() -> None:
    findings = Findings()
    findings.add(Case.NO_ROW, "a.jpg")
    before = findings.snapshot()

    findings.add(Case.NO_ROW, "b.jpg")

    assert before[0].count == 1
    assert findings.snapshot()[0].count == 2


def test_restoring_a_snapshot_forgets_what_came_after_it() -> None:
    findings = Findings()
    findings.add(Case.OTHER_TABLES, "a.csv")
    before = findings.snapshot()
    findings.add(Case.NO_PHOTO, "1")

    findings.restore(before)

    assert findings.snapshot() == before
