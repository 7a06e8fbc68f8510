"""Reads invoices, receipts and contracts, cross-checks them, and files them or asks a person.

`graph.py` is the pipeline and `agents.py` its five agents. The agents are thin; what they know is in small
modules without side effects:

    intake     attached, pdf_process                 from an attachment to its text
    text       normalise, numerals, dates, page      characters, numbers, days; lines and columns
    words      lexicon, vocabulary, phrases.toml     what a label means
    reading    classify, extract, extract_*          kind, parties, dates, sums
    line items tables, records, counted, listed      each way to list them; the reading that adds up is taken
    judging    validate, risk, decide                by rule only, whoever read the document
    outside    model_reading, review, filing         a language model, a person, the store

It reads English, and the abbreviations that European invoices in English keep.
"""
