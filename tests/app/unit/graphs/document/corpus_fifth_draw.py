"""The fifth draw: held out until the extractor scored on it, then used to improve it.

Five layouts of invoices, four of receipts and four of contracts: labels with values, tables with and without
bars, and running text. No company, ware, layout or sentence is one of the splits before.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Orchard Lane Plumbing Ltd", "Kestrel Avionics Inc.", "Bodega del Sur S.L.", "Hammarby Cykel AB", "Riverside Community College", "Tanaka & Wolfe LLP",
        "Silverline Distribution Co.", "Café Mozart Betriebs GmbH", "Peregrine Translations", "Dunmore Harbour Trust", "Les Ateliers du Nord SAS",
        "Keystone Elevator Service, Inc.", "Maple Street Pediatrics", "Brightwater Aquatics plc",
    ),
    shops=("Hazel's Kitchen", "Union Square Records", "Fresh Catch Fishmonger", "The Button Box", "Alpine Ski Hire"),
    wares=("Ball valve 3/4in", "Altimeter gauge", "Rioja, case of 6", "Brake cable set", "Lab coat, size M", "Elevator roller", "Pool filter sand", "Fan belt"),
    groceries=("Soup of the day", "Vinyl cleaner", "Smoked salmon", "Ribbon, 2 m", "Helmet hire", "Lemonade", "Record sleeve", "Mussels 1kg", "Zip fastener"),
    services=("Boiler service", "Flight data review", "Wine tasting", "Frame repair", "Guest lecture", "Contract translation", "Pool inspection", "Lift maintenance"),
    phases=("Mobilisation", "Civil works", "Cable laying", "Test flights", "Curriculum design", "Close-out report", "Pilot course"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "{amount} USD"), ("", ".", "{symbol}{amount}"), (",", ".", "US$ {amount}")),
    "EUR": ((".", ",", "{amount} {symbol}"), (".", ",", "{symbol}{amount}"), (" ", ",", "{amount} EUR"), (",", ".", "{symbol}{amount}"), ("", ",", "EUR {amount}")),
    "GBP": ((",", ".", "{symbol}{amount}"), (",", ".", "{amount} GBP")),
}
DATES = {
    "USD": ("{month} {d}, {y}", "{m}/{d}/{y}", "{d} {month} {y}", "{y}-{m:02}-{d:02}"),
    "EUR": ("{d:02}.{m:02}.{y}", "{d} {month} {y}", "{d:02}/{m:02}/{y}", "{y}/{m:02}/{d:02}"),
    "GBP": ("{d} {month} {y}", "{d:02}/{m:02}/{y}", "{d} {mon} {y}"),
}


def gross_net(c: Content, s: Style) -> str:
    """Facts at the right, each description on two lines, sums that all begin with "Total"."""
    lines = [f"{c.seller}", "Ringstrasse 9, 1010 Wien", "", f"{c.buyer}", "Hauptplatz 1", "8010 Graz", "", f"{'Invoice number:':>60} {c.number}", f"{'Date:':>60} {s.day(c.issue)}",
             f"{'Due by:':>60} {s.day(c.due)}", "", f"{'Description':<34}{'Quantity':>10}{'Net price':>14}{'Net total':>16}"]
    for i in c.items:
        lines += [f"{i.description:<34}{s.count(i.quantity):>10}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}"]
    lines += ["", f"{'Total net':<50}{s.money(c.subtotal):>24}", f"{f'Total VAT {c.tax_rate}%':<50}{s.money(c.tax):>24}", f"{'Total gross':<50}{s.money(c.total):>24}"]
    lines += ["", f"Please pay the total amount of {s.money(c.claimed_total)} without deduction."] if c.claimed_total else []
    return "\n".join(lines)


def distributor(c: Content, s: Style) -> str:
    """A wholesaler's print: ordered and shipped, unit of measure, extension."""
    lines = [f"{c.seller:<46}I N V O I C E", f"{'2200 Depot Avenue':<46}Page 1 of 1", "", f"{'SOLD TO:':<46}INVOICE NO     {c.number}", f"{c.buyer:<46}INVOICE DATE   {s.day(c.issue)}", f"{'15 Wharf Street':<46}DUE DATE       {s.day(c.due)}", "",
             f"{'LN':<4}{'DESCRIPTION':<28}{'ORD':>5}{'SHP':>5}{'UM':>4}{'PRICE':>14}{'EXTENSION':>16}"]
    lines += [f"{n:<4}{i.description:<28}{s.count(i.quantity):>5}{s.count(i.quantity):>5}{'EA':>4}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"{'MERCHANDISE TOTAL':>60}{s.bare(c.subtotal):>16}", f"{'SALES TAX':>60}{s.bare(c.tax):>16}", f"{'INVOICE AMOUNT':>60}{s.money(c.total):>16}"]
    lines += [f"{'TOTAL DUE':>60}{s.money(c.claimed_total):>16}"] if c.claimed_total else []
    return "\n".join(lines)


def consultant(c: Content, s: Style) -> str:
    """Label and value; the lines say the unit with a slash."""
    lines = ["**INVOICE**", "", f"**Consultant:** {c.seller}", f"**Client:** {c.buyer}", f"**Invoice:** {c.number}", f"**Dated:** {s.day(c.issue)}", f"**To be paid by:** {s.day(c.due)}", ""]
    lines += [f"* {i.description}: {s.count(i.quantity)} units at {s.money(i.unit_price)}/unit: {s.money(i.amount)}" for i in c.items]
    lines += ["", f"**Fees before tax:** {s.money(c.subtotal)}", f"**Tax at {c.tax_rate}%:** {s.money(c.tax)}", f"**Fees including tax:** {s.money(c.total)}"]
    lines += [f"**Total invoice amount:** {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def plumber(c: Content, s: Style) -> str:
    """A craftsman's bill without a header above the lines."""
    lines = [c.seller, "Tel. 01632 960 100", "", f"BILL No. {c.number}", f"{s.day(c.issue)}", "", f"For: {c.buyer}", ""]
    lines += [f"{i.description:<30} {s.count(i.quantity)} @ {s.bare(i.unit_price):<12} {s.bare(i.amount):>12}" for i in c.items]
    lines += ["", f"{'Subtotal':<30} {s.bare(c.subtotal):>28}", f"{f'VAT {c.tax_rate}%':<30} {s.bare(c.tax):>28}", f"{'Amount due':<30} {s.money(c.total):>28}", "", f"Payment due: {s.day(c.due)}"]
    lines += [f"Total outstanding on this bill: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def narrative(c: Content, s: Style) -> str:
    """Running text in the third person."""
    parts = [f"{i.description} ({s.count(i.quantity)} x {s.money(i.unit_price)} = {s.money(i.amount)})" for i in c.items]
    claim = f" The amount due is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"Invoice {c.number} of {s.day(c.issue)}\n\n{c.seller} invoices {c.buyer} for the following: {', '.join(parts)}. The net amount is {s.money(c.subtotal)}; {c.tax_rate}% VAT is {s.money(c.tax)}; "
        f"the gross amount is {s.money(c.total)}.{claim} The invoice falls due on {s.day(c.due)}."
    )


def thermal(c: Content, s: Style) -> str:
    """Count, name, letter of the tax code."""
    lines = [f"{c.seller.upper():^38}", f"{'38 QUAY STREET':^38}", "", f"RCPT {c.number}   {s.day(c.issue)}   13:05", "-" * 38]
    lines += [f"{s.count(i.quantity):>2}x {i.description:<20}{s.bare(i.unit_price):>7}{s.bare(i.amount):>9} A" for i in c.items]
    lines += ["-" * 38, f"{'SUBTOTAL':<24}{s.bare(c.subtotal):>12}", f"{f'TAX A {c.tax_rate}%':<24}{s.bare(c.tax):>12}", f"{'TOTAL':<24}{s.money(c.total):>12}"]
    lines += [f"{'AMOUNT CHARGED':<24}{s.money(c.claimed_total):>12}"] if c.claimed_total else [f"{'CONTACTLESS':<24}{s.money(c.total):>12}"]
    return "\n".join([*lines, f"ITEMS SOLD {len(c.items)}", "SEE YOU AGAIN SOON"])


def semicolons(c: Content, s: Style) -> str:
    """An export: one row a line, bars between."""
    lines = [f"Receipt {c.number} | {c.seller} | {s.day(c.issue)}", "", "product | number | single price | total"]
    lines += [f"{i.description} | {s.count(i.quantity)} | {s.bare(i.unit_price)} | {s.bare(i.amount)}" for i in c.items]
    lines += [f"subtotal | | | {s.bare(c.subtotal)}", f"tax | | | {s.bare(c.tax)}", f"total | | | {s.money(c.total)}"]
    lines += [f"paid in total | | | {s.money(c.claimed_total)}", f"Total: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "paid by card"])


def numbered_receipt(c: Content, s: Style) -> str:
    """A numbered list."""
    lines = ["Receipt", f"Issued by {c.seller}", f"on {s.day(c.issue)}", ""]
    lines += [f"{n}) {i.description} - {s.count(i.quantity)} x {s.money(i.unit_price)} - {s.money(i.amount)}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"Without tax: {s.money(c.subtotal)}", f"Tax ({c.tax_rate}%): {s.money(c.tax)}", f"With tax: {s.money(c.total)}", "Payment received by card, with thanks."]
    lines += [f"Total received: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def hire_shop(c: Content, s: Style) -> str:
    """One label a line, without colons."""
    lines = [c.seller, "HIRE AND SALES RECEIPT", f"Receipt number   {c.number}", f"Date   {s.day(c.issue)}", ""]
    for i in c.items:
        lines += [f"Item   {i.description}", f"Quantity   {s.count(i.quantity)}", f"Price each   {s.money(i.unit_price)}", f"Line total   {s.money(i.amount)}"]
    lines += ["", f"Total before tax   {s.money(c.subtotal)}", f"Sales tax   {s.money(c.tax)}", f"Total   {s.money(c.total)}"]
    lines += [f"Grand total   {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def between_and(c: Content, s: Style) -> str:
    lines = [f"CONTRACT No. {c.number}", "", f"Between (the Customer): {c.buyer}", f"And (the Supplier): {c.seller}", f"Validity: from {s.day(c.start)} until {s.day(c.end)}", "", "Scope and prices:"]
    lines += [f"  - {i.description}   {s.money(i.amount)}" for i in c.items]
    lines += [f"  Contract price   {s.money(c.total)}", ""]
    lines += [f"Total contract price: {s.money(c.claimed_total)}", ""] if c.claimed_total else []
    return "\n".join([*lines, "Signed by both parties."])


def sponsorship(c: Content, s: Style) -> str:
    parts = "; ".join(f"{i.description} - {s.money(i.amount)}" for i in c.items)
    claim = f" The total sum named in the annex is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"SPONSORSHIP AGREEMENT\n\nentered into by {c.seller} (the \"Sponsor\") and {c.buyer} (the \"Recipient\").\n\nThe Sponsor supports the Recipient during the period {s.day(c.start)} - {s.day(c.end)} with a "
        f"total sum of {s.money(c.total)}, to be spent on {parts}.{claim} The Recipient agrees to mention the Sponsor. Either party may give notice of termination."
    )


def payment_schedule(c: Content, s: Style) -> str:
    lines = ["SERVICES AGREEMENT", "", "Customer", c.buyer, "", "Service provider", c.seller, "", "Commencement date", s.day(c.start), "", "End date", s.day(c.end), "", "Schedule of payments", "",
             f"{'No':<5}{'Milestone':<30}{'Payment':>16}"]
    lines += [f"{n:<5}{i.description:<30}{s.money(i.amount):>16}" for n, i in enumerate(c.items, 1)]
    lines += [f"{'':<5}{'Total':<30}{s.money(c.total):>16}", ""]
    lines += [f"The total fee under this agreement is {s.money(c.claimed_total)}.", ""] if c.claimed_total else []
    return "\n".join([*lines, "The parties submit to the jurisdiction of the courts of Dublin."])


def deed_form(c: Content, s: Style) -> str:
    rows = "\n".join(f"({n}) {i.description}: {s.money(i.amount)};" for n, i in zip(("i", "ii", "iii", "iv", "v"), c.items, strict=False))
    claim = f"\n6. The whole price is {s.money(c.claimed_total)}; total price {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"THIS DEED is made BETWEEN:\n\n(1) {c.seller} of 5 Custom House Quay; and\n(2) {c.buyer} of 31 Bridge Street.\n\nIT IS AGREED:\n\n1. Commencing on {s.day(c.start)} the first party shall carry out the works.\n"
        f"2. The works shall be completed by {s.day(c.end)}.\n3. The second party shall pay:\n{rows}\n4. The total of these sums is {s.money(c.total)}.{claim}\n7. This deed is governed by Irish law."
    )


LAYOUTS = {
    "invoice": (gross_net, distributor, consultant, plumber, narrative),
    "receipt": (thermal, semicolons, numbered_receipt, hire_shop),
    "contract": (between_and, sponsorship, payment_schedule, deed_form),
}
