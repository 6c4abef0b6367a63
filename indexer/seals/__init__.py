"""Seals: signed, chained Merkle roots over what each agent shipped, and the check of the store against them.

An agent seals with `keys`, `leaves`, `merkle` and `seal`; `audit-indexer verify` reads the seals back
(`shelf`), checks their chains (`chains`, `anchors`) and compares every event with its leaf (`scan`, `spill`,
`judge`, `verify`).
"""
