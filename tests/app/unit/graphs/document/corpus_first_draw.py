"""The first draw: held out until the extractor scored on it, then used to improve it.

The layouts follow, in labels and in the order of things, templates that others published: an accounting
program's invoice, a commercial invoice form, the terms of EN 16931, till printers' formats, forms of consulting
agreements. Companies, wares, date forms and money forms are others than in the development split.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Brackenridge Holdings LLC", "Tessellate Software Inc.", "Oakhurst Dairy Cooperative", "Zimmermann Elektrotechnik AG",
        "Fjordline Shipping AS", "Mercado Azul S.A.", "Whitcombe & Sons Ltd", "Perennial Gardens", "Atelier Rousseau SAS",
        "Polaris Testing Laboratories", "Quill and Anchor Press", "Redwood Civil Engineers, Inc.",
    ),
    shops=("Thistle Street Deli", "Bramble Bookshop", "Harbour Lights Diner", "Penny Lane Stationers", "Old Mill Bakery"),
    wares=("Hydraulic pump HP-2", "Copper pipe 22 mm", "Thermal paper rolls", "Router bit set", "Pallet wrap", "Ball bearing 6204",
           "Shelf unit, oak", "USB-C hub", "Wall anchor"),
    groceries=("Cheddar 400g", "Orange juice", "Sourdough", "Notebook A5", "Tea, loose", "Chicken wrap", "Still water", "Gift card sleeve",
               "Lentil soup"),
    services=("Penetration test", "Monthly bookkeeping", "Translation EN-DE", "Interior photography", "Server maintenance",
              "Structural survey", "Soil analysis", "User interviews"),
    phases=("Requirements analysis", "Interface design", "Pilot operation", "Migration of records", "Staff training", "Final report"),
)

MONEYS = {
    "USD": ((",", ".", "US${amount}"), (",", ".", "{amount} USD"), (",", ".", "{symbol} {amount}"), (",", ".", "{symbol}{amount}")),
    "EUR": ((".", ",", "{symbol} {amount}"), (".", ",", "{code} {amount}"), (" ", ",", "{amount} {symbol}"), (",", ".", "{code}{amount}")),
    "GBP": ((",", ".", "{code} {amount}"), (",", ".", "{symbol} {amount}")),
}
DATES = {
    "USD": ("{mon} {d}, {y}", "{m}/{d}/{y}", "{y}/{m:02}/{d:02}", "{month} {ordinal}, {y}"),
    "EUR": ("{d}. {month} {y}", "{d:02}-{mon}-{y}", "{d}.{m}.{y}", "{d:02}/{m:02}/{y}"),
    "GBP": ("{ordinal} {month} {y}", "{d} {mon} {y}", "{d:02}-{m:02}-{y}"),
}


def accounting_program(c: Content, s: Style) -> str:
    lines = ["From:", "", c.seller, "8 Granary Wharf", "Bristol", "", "Email accounts@example.org", "", "To:", "", c.buyer, "PO Box 77", "",
             "TAX INVOICE", "", "Customer Tax ID 99-1234567", "Account ID 4471", f"Invoice No {c.number}",
             f"Date Created {s.day(c.issue)}", f"Date Due {s.day(c.due)}", "Number Description Quantity Unit Price Amount"]
    for index, i in enumerate(c.items, 1):
        lines.append(f"{index} {i.description} {s.count(i.quantity)} {s.money(i.unit_price)} {s.money(i.amount)}")
    lines += [f"Subtotal {s.money(c.subtotal)}", f"VAT {s.money(c.tax)}", f"Total Due by {s.day(c.due)} {s.money(c.total)}"]
    lines += [f"Please quote the invoice total {s.money(c.claimed_total)} with your payment."] if c.claimed_total else []
    return "\n".join(lines)


def metadata_table(c: Content, s: Style) -> str:
    lines = [f"# {c.seller}", "## INVOICE", f"| Invoice Number | {c.number} |", f"| Issue Date | {s.day(c.issue)} |", f"| Due Date | {s.day(c.due)} |",
             "| Payment Terms | bank transfer |", f"| Currency | {s.currency} |", f"| Billed To | {c.buyer} |", "",
             "| # | Description | Type | Qty | Unit Price | Amount |", "|---|---|---|---|---|---|"]
    for index, i in enumerate(c.items, 1):
        lines.append(f"| {index} | {i.description} | std | {s.count(i.quantity)} | {s.bare(i.unit_price)} | {s.bare(i.amount)} |")
    lines += ["", f"| Subtotal | {s.bare(c.subtotal)} |", f"| Sales tax ({c.tax_rate}%) | {s.bare(c.tax)} |", f"| Total Due | {s.bare(c.total)} {s.currency} |"]
    lines += [f"| Amount payable | {s.bare(c.claimed_total)} {s.currency} |"] if c.claimed_total else []
    return "\n".join(lines)


def commercial_form(c: Content, s: Style) -> str:
    lines = ["Company Letterhead", "", c.seller, "41 Foundry Road", "Phone: +1 555 010 7788", "", "Invoice Details", "", f"Invoice Number: {c.number}",
             f"Date: {s.day(c.issue)}", "Customer ID: 20-118", f"Payment Due Date: {s.day(c.due)}", "", "Customer Information", "", "Bill To:", "",
             c.buyer, "19 Weir Close", "", "Contact Person: D. Moss", "", "Description of Goods/Services", "",
             f"| Item No. | Description | Quantity | Unit Price ({s.currency}) | Line Total ({s.currency}) |", "|---|---|---|---|---|"]
    lines += [f"| {100 + n} | {i.description} | {s.count(i.quantity)} | {s.bare(i.unit_price)} | {s.bare(i.amount)} |" for n, i in enumerate(c.items)]
    lines += ["", "Summary", "", f"Subtotal: {s.currency} {s.bare(c.subtotal)}", "", f"Tax ({c.tax_rate}%): {s.currency} {s.bare(c.tax)}", "",
              f"**TOTAL AMOUNT DUE: {s.currency} {s.bare(c.total)}**", "", "Bank Name: First Example Bank", "Account Number: 000123456789"]
    if c.claimed_total:
        lines.insert(8, f"Invoice Total: {s.currency} {s.bare(c.claimed_total)}")
    return "\n".join(lines)


def status_block(c: Content, s: Style) -> str:
    lines = [f"# Invoice: INV-{c.issue.year}-{c.number[1:4]}", "", "> **Status:** Sent  ", f"> **Due Date:** {s.day(c.due)}  ",
             f"> **Total Amount:** {s.money(c.claimed_total or c.total)}", "", "## Bill To", "", f"**{c.buyer}**  ", "3 Orchard Way", "", "## From", "",
             f"**{c.seller}**  ", "Unit 5, Dock Street", "", f"Issued {s.day(c.issue)}", "", "## Items", "",
             "| Description           | Qty/Hrs | Rate   | Amount     |", "| :-------------------- | :------ | :----- | :--------- |"]
    lines += [f"| {i.description} | {s.count(i.quantity)} | {s.money(i.unit_price)} | {s.money(i.amount)} |" for i in c.items]
    lines += [f"| **SUBTOTAL** | | | **{s.money(c.subtotal)}** |", f"| **TAX ({c.tax_rate}%)** | | | **{s.money(c.tax)}** |",
              f"| **TOTAL** | | | **{s.money(c.total)}** |", "", "- **Terms:** Net 30"]
    return "\n".join(lines)


def european_terms(c: Content, s: Style) -> str:
    lines = ["INVOICE", f"Invoice number: {c.number}", f"Invoice issue date: {s.day(c.issue)}", f"Payment due date: {s.day(c.due)}",
             f"Invoice currency code: {s.currency}", f"Seller name: {c.seller}", "Seller city: Turku", f"Buyer name: {c.buyer}", "Buyer city: Ghent", ""]
    for index, i in enumerate(c.items, 1):
        lines += [f"Invoice line identifier: {index}", f"Item name: {i.description}", f"Invoiced quantity: {s.count(i.quantity)}",
                  f"Item net price: {s.bare(i.unit_price)}", f"Invoice line net amount: {s.bare(i.amount)}"]
    lines += ["", f"Sum of Invoice line net amount: {s.bare(c.subtotal)}", f"Invoice total VAT amount: {s.bare(c.tax)}",
              f"Invoice total amount with VAT: {s.bare(c.total)}", f"Amount due for payment: {s.bare(c.claimed_total or c.total)}"]
    return "\n".join(lines)


def letter(c: Content, s: Style) -> str:
    parts = [f"{i.description} ({s.count(i.quantity)} at {s.money(i.unit_price)} each, {s.money(i.amount)})" for i in c.items]
    claim = f" Kindly transfer the full amount of {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"{c.seller}\n14 Castle Terrace\n\n{c.buyer}\nAccounts Department\n\n{s.day(c.issue)}\n\nInvoice {c.number}\n\nDear Ms Hart,\n\n"
        f"thank you for your order. We have delivered {'; '.join(parts)}. That makes {s.money(c.subtotal)} net, plus VAT at {c.tax_rate}% of "
        f"{s.money(c.tax)}, for a total of {s.money(c.total)}. Payment is requested by {s.day(c.due)}.{claim}\n\nWith kind regards\n{c.seller}"
    )


def till_columns(c: Content, s: Style) -> str:
    lines = ["================================", f"{c.seller:^32}", f"{'9 Elm Parade':^32}", f"{'TAX ID: 12-3456789':^32}", "- - - - - - - - - - - - - - - -",
             f"RECEIPT #REC-{c.number}", f"Date: {s.day(c.issue)}", "Time: 2:30:45 PM", "- - - - - - - - - - - - - - - -", "",
             f"{'ITEM':<20}{'QTY':<5}{'PRICE':<9}{'TOTAL'}"]
    lines += [f"{i.description:<20}{s.count(i.quantity):<5}{s.bare(i.unit_price):<9}{s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Subtotal:           {s.money(c.subtotal)}", f"Tax ({c.tax_rate}%):          {s.money(c.tax)}", f"TOTAL:              {s.money(c.total)}"]
    lines += [f"Amount charged:     {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "================================", "RETURN POLICY: 30 DAYS WITH RECEIPT", "Thank you for shopping with us!"])


def diner(c: Content, s: Style) -> str:
    lines = [f"{c.seller:^32}", f"{'Tel: (555) 123-4567':^32}", "================================", f"Receipt: REC-{c.number}", f"Date: {s.day(c.issue)} 2:30 PM",
             "================================", ""]
    for i in c.items:
        lines += [f"{s.count(i.quantity)}x {i.description}", f"  @ {s.bare(i.unit_price)}  ->  {s.money(i.amount)}", ""]
    lines += [f"Net amount:         {s.money(c.subtotal)}", f"Sales tax:          {s.money(c.tax)}", f"TOTAL:              {s.money(c.total)}", ""]
    lines += [f"Total charged:      {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "Thank you for dining with us!", "Please come again"])


def corner_shop(c: Content, s: Style) -> str:
    lines = [f"      {c.seller.upper()}        ", "    123 Main Street     ", "================================", f"Receipt: RCP-{c.number}",
             f"Date: {s.day(c.issue)}, 14:35:22", "Cashier: Thabo", "--------------------------------", ""]
    for i in c.items:
        lines += [i.description, f"{s.count(i.quantity)} x {s.money(i.unit_price)} = {s.money(i.amount)}", ""]
    lines += ["--------------------------------", f"Total before tax: {s.money(c.subtotal)}", f"Tax {c.tax_rate}%: {s.money(c.tax)}", f"GRAND TOTAL: {s.money(c.total)}"]
    lines += [f"TO PAY: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "", "Payment: Cash", f"Received: {s.money(c.total + 10)}", f"Change: {s.bare(c.total * 0 + 10)}", "Thank you!"])


def payment_receipt(c: Content, s: Style) -> str:
    lines = [f"Receipt from {c.seller}", "", f"Receipt #{c.number}", "", "AMOUNT PAID   DATE PAID   PAYMENT METHOD",
             f"{s.money(c.claimed_total or c.total)}   {s.day(c.issue)}   Visa - 4242", "", "SUMMARY", ""]
    lines += [f"{i.description} x {s.count(i.quantity)}   {s.money(i.unit_price)} each   {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Subtotal   {s.money(c.subtotal)}", f"Tax - {c.tax_rate}%   {s.money(c.tax)}", f"Total   {s.money(c.total)}", f"Amount charged   {s.money(c.claimed_total or c.total)}"]
    return "\n".join(lines)


def consulting_prose(c: Content, s: Style) -> str:
    parts = ", ".join(f"{i.description} ({s.money(i.amount)})" for i in c.items)
    claim = f" The total compensation under this Agreement is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f'Consulting Agreement\n\nThis Consulting Agreement ("Agreement") is being made between {c.seller} ("Consultant") located at 12 Bay Road, '
        f'Newport and {c.buyer} ("Client") located at 5 Union Square, Salem. {c.seller} and {c.buyer} may also be referred to as "Party" or together '
        f'as the "Parties". This Agreement will become effective on {s.day(c.start)} ("Effective Date").\n\n1. Services\nThe Consultant agrees to perform '
        f"the services listed below.\n\n2. Compensation\nThe Client will pay a flat fee totalling {s.money(c.total)}, broken down into {parts}.{claim}\n\n"
        f"3. Term\nThis Agreement will begin on the Effective Date and will end on {s.day(c.end)}.\n\n4. Relationship\nNeither Party may bind the other."
    )


def agreement_form(c: Content, s: Style) -> str:
    lines = ["CONSULTING AGREEMENT", "", f'I. THE PARTIES. This Consulting Agreement ("Agreement") is made effective as of {s.day(c.start)}, by and between:', "",
             f'Consultant: {c.seller} with a mailing address of 8 Grove Street, Dover ("Consultant"), and', "",
             f'Client: {c.buyer} with a mailing address of 300 Lake Avenue, Madison ("Client").', "",
             "II. SERVICES. Consultant agrees to provide the following Services:"]
    lines += [f"  {letter}) {i.description} - {s.money(i.amount)}" for letter, i in zip("abcdef", c.items, strict=False)]
    lines += ["", f"III. TERM. The Services shall commence on {s.day(c.start)}, and end on the date of {s.day(c.end)}.", "",
              f"IV. COMPENSATION. Per Job: a total of {s.money(c.total)} for the completion of the Services."]
    lines += ["", f"V. MAXIMUM. The parties agree on a total price of {s.money(c.claimed_total)}."] if c.claimed_total else []
    return "\n".join(lines)


def services_header(c: Content, s: Style) -> str:
    lines = ["PROFESSIONAL SERVICES AGREEMENT", "", "Between:", f'{c.seller} ("Provider")', "22 Station Approach", "", "And:", f'{c.buyer} ("Client")',
             "70 Temple Row", "", f"Project Start: {s.day(c.start)}", f"Estimated Completion: {s.day(c.end)}", "", "INVESTMENT", "",
             f"Total Project Investment: {s.money(c.total)}", "", "Payment Schedule:"]
    lines += [f"- {i.description}: {s.money(i.amount)}" for i in c.items]
    lines += [f"Total fees: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "", "Late Payment:", "Invoices not paid within 30 days will incur a 1.5% monthly late fee.", "", "Governing law: England"])


def contract_summary(c: Content, s: Style) -> str:
    lines = ["# Project Contract", "", f"**Project**: {c.number}  ", f"**Client**: {c.buyer}  ", f"**Contractor**: {c.seller}  ", "**Contract Language**: English  ",
             "**Governing Law/Jurisdiction**: Ireland", "", "## Key Dates", "", f"- Effective Date: {s.day(c.start)}", f"- Expiration Date: {s.day(c.end)}", "",
             f"**Total Contract Amount**: {s.money(c.total)}", "", "| Milestone | Payment |", "|---|---|"]
    lines += [f"| {i.description} | {s.money(i.amount)} |" for i in c.items]
    lines += ["", f"Contract total (all milestones): {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def deed(c: Content, s: Style) -> str:
    lines = [f"THIS AGREEMENT, by and among {c.seller.upper()}, a company organized and existing under the laws of its seat, hereinafter referred to as the",
             f"FIRST PARTY, and {c.buyer.upper()}, hereinafter referred to as the SECOND PARTY, WITNESSETH:", "",
             f"Article 1. The engagement runs from {s.day(c.start)} through {s.day(c.end)}, both days inclusive.", "",
             "Article 2. The SECOND PARTY shall pay according to this schedule:", "", f"{'Work package':<32}{'Fee':>16}"]
    lines += [f"{i.description:<32}{s.money(i.amount):>16}" for i in c.items]
    lines += [f"{'Sum total':<32}{s.money(c.total):>16}", ""]
    lines += [f"Article 3. The overall price is {s.money(c.claimed_total)}.", ""] if c.claimed_total else []
    return "\n".join([*lines, "IN WITNESS WHEREOF the parties have signed."])


LAYOUTS = {
    "invoice": (accounting_program, metadata_table, commercial_form, status_block, european_terms, letter),
    "receipt": (till_columns, diner, corner_shop, payment_receipt),
    "contract": (consulting_prose, agreement_form, services_header, contract_summary, deed),
}
