"""The second draw: held out until the extractor scored on it, then used to improve it.

The layouts follow what widely used products print: invoices of bookkeeping and payment services, receipts of card
readers, supermarkets and builders' merchants, contracts of freelancers' tools, of public purchasing and of law
firms. No company, ware, layout, date form or sentence is one of the splits before.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from datetime import timedelta

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Summit Ridge Consulting Group", "Halvorsen Marine Oy", "Crestline Media Ltd.", "Boulanger Frères S.A.R.L.", "Nimbus Robotics Corp.",
        "The Paper Lantern Company", "Gupta & Lindqvist LLP", "Ironbark Timber Pty Ltd", "Dolomiti Caffè S.r.l.", "Sterling Cooper Archives",
        "Meridian Water Services plc", "Rosenthal Optik GmbH & Co. KG", "Farrow Hill Veterinary Practice", "Lakeshore School District",
    ),
    shops=("Blue Bottle Roasters", "GREENFIELD SUPERMARKET", "Toolstop Builders Merchants", "Mama Rosa Trattoria", "Pages & Prose", "City Bike Rental"),
    wares=("Ergonomic keyboard", "Galvanised bolts M8", "A4 copier paper (box)", "Stainless sink 60x50", "LED floodlight 50W", "Cordless drill",
           "Oak tabletop, oiled", "Conference phone", "First aid kit", "Rubber matting per m2"),
    groceries=("Flat white", "Bananas", "Free range eggs", "Olive ciabatta", "Sparkling water 750ml", "Wood screws 5x60", "Pasta al forno",
               "Day pass", "Paint roller 9in", "Greek yoghurt"),
    services=("Website redesign", "SEO audit", "Tax advisory", "Workshop facilitation", "Event photography", "Legal review of contracts",
              "Quarterly pump inspection", "Data cleansing", "Copywriting (blog posts)", "Dog vaccination"),
    phases=("Kick-off workshop", "Concept and wireframes", "Backend development", "User acceptance test", "Go-live support", "Site preparation",
            "Foundations", "Handover documentation"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "{symbol}{amount} {code}"), (",", ".", "{code} {symbol}{amount}"), ("", ".", "{symbol}{amount}")),
    "EUR": ((".", ",", "{amount} {code}"), (".", ",", "{amount}{symbol}"), (",", ".", "{symbol} {amount}"), (" ", ",", "{symbol}{amount}"),
            ("'", ".", "{code} {amount}")),
    "GBP": ((",", ".", "{symbol}{amount}"), (",", ".", "{amount} {code}"), ("", ".", "{symbol}{amount}")),
}
DATES = {
    "USD": ("{m:02}/{d:02}/{yy:02}", "{mon} {d:02}, {y}", "{d} {mon} {y}", "{m:02}-{d:02}-{y}"),
    "EUR": ("{d:02}.{m:02}.{yy:02}", "{d} {mon} {y}", "{y}.{m:02}.{d:02}", "{d:02}/{m:02}/{y}", "{d}-{mon}-{y}"),
    "GBP": ("{d:02}/{m:02}/{yy:02}", "{d:02} {month} {y}", "{ordinal} {mon} {y}", "{d:02}.{m:02}.{y}"),
}


def bookkeeping_cloud(c: Content, s: Style) -> str:
    """Labels above values in a right-hand block; the tax in a column."""
    tax = "20%" if c.tax_rate is None else f"{c.tax_rate}%"
    lines = ["TAX INVOICE", "", c.buyer, "Level 3", "12 Collins Street", "", "Invoice Date", s.day(c.issue), "", "Invoice Number", c.number, "",
             "Reference", "PO 4471", "", c.seller, "Attention: Accounts", "PO Box 120", "",
             f"{'Description':<32}{'Quantity':>10}{'Unit Price':>14}{'Tax':>8}{f'Amount {s.currency}':>16}"]
    lines += [f"{i.description:<32}{s.bare(i.quantity):>10}{s.bare(i.unit_price):>14}{tax:>8}{s.bare(i.amount):>16}" for i in c.items]
    lines += [f"{'Subtotal':>64}{s.bare(c.subtotal):>16}", f"{f'TOTAL TAX {tax}':>64}{s.bare(c.tax):>16}", f"{f'TOTAL {s.currency}':>64}{s.bare(c.total):>16}"]
    lines += ["", f"Due Date: {s.day(c.due)}", "Bank transfer to BSB 000-000"]
    lines += ["PAYMENT ADVICE", f"Customer: {c.buyer}", f"Amount Due: {s.bare(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def payment_service(c: Content, s: Style) -> str:
    """The amount and its date as a heading; label and value without a colon."""
    lines = [f"Invoice{c.seller:>60}", "", f"Invoice number   {c.number}", f"Date of issue    {s.day(c.issue)}", f"Date due         {s.day(c.due)}", "",
             f"{c.seller:<40}Bill to", f"{'548 Market Street':<40}{c.buyer}", f"{'hello@example.com':<40}9 Rue Haute", "",
             f"{s.money(c.claimed_total or c.total)} due {s.day(c.due)}", "", "Pay online", "",
             f"{'Description':<36}{'Qty':>8}{'Unit price':>16}{'Amount':>18}"]
    lines += [f"{i.description:<36}{s.count(i.quantity):>8}{s.money(i.unit_price):>16}{s.money(i.amount):>18}" for i in c.items]
    lines += ["", f"{'Subtotal':<44}{s.money(c.subtotal):>34}", f"{'Total excluding tax':<44}{s.money(c.subtotal):>34}",
              f"{f'VAT ({c.tax_rate}% on {s.money(c.subtotal)})':<44}{s.money(c.tax):>34}", f"{'Total':<44}{s.money(c.total):>34}",
              f"{'Amount due':<44}{s.money(c.total):>34}"]
    return "\n".join(lines)


def desktop_accounting(c: Content, s: Style) -> str:
    """Capital labels, activity table with a date column, balance due."""
    lines = [c.seller, "77 Canal Street Suite 4", "", "INVOICE", "", f"{'BILL TO':<36}{'INVOICE #':<12}{c.number}", f"{c.buyer:<36}{'DATE':<12}{s.day(c.issue)}",
             f"{'1020 Pine Avenue':<36}{'DUE DATE':<12}{s.day(c.due)}", f"{'':<36}{'TERMS':<12}Custom", "",
             f"{'DATE':<16}{'ACTIVITY':<34}{'QTY':>6}{'RATE':>14}{'AMOUNT':>16}"]
    for n, i in enumerate(c.items):
        day = c.issue - timedelta(days=9 - n)
        lines.append(f"{s.day(day):<16}{i.description:<34}{s.count(i.quantity):>6}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}")
    lines += [f"{'SUBTOTAL':>70}{s.bare(c.subtotal):>16}", f"{f'TAX ({c.tax_rate}%)':>70}{s.bare(c.tax):>16}", f"{'TOTAL':>70}{s.bare(c.total):>16}",
              f"{'BALANCE DUE':>70}{s.money(c.claimed_total or c.total):>16}"]
    return "\n".join(lines)


def small_business(c: Content, s: Style) -> str:
    """The balance first; `Sub Total`, `Item & Description`, terms without a number of days."""
    lines = ["INVOICE", f"# INV-{c.number}", "", "Balance Due", s.money(c.claimed_total or c.total), "", c.seller, "Plot 14, Ring Road", "", "Bill To", c.buyer, "",
             f"Invoice Date : {s.day(c.issue)}", "Terms : Due on date", f"Due Date : {s.day(c.due)}", "",
             f"{'#':<4}{'Item & Description':<34}{'Qty':>8}{'Rate':>14}{'Amount':>16}"]
    lines += [f"{n:<4}{i.description:<34}{s.bare(i.quantity):>8}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"{'Sub Total':>60}{s.bare(c.subtotal):>16}", f"{f'Tax Rate ({c.tax_rate}%)':>60}{s.bare(c.tax):>16}", f"{'Total':>60}{s.money(c.total):>16}",
              "", "Notes", "It was great doing business with you."]
    return "\n".join(lines)


def plain_mail(c: Content, s: Style) -> str:
    """Label and value, the items one a line with labels of their own."""
    lines = [f"Invoice ref: {c.number}", f"Issued to: {c.buyer}", f"Issued by: {c.seller}", f"Issued on: {s.day(c.issue)}", f"Payable by: {s.day(c.due)}", ""]
    lines += [f"{n}. {i.description} | Units: {s.count(i.quantity)} | Cost per unit: {s.bare(i.unit_price)} | Line total: {s.bare(i.amount)}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"Net: {s.bare(c.subtotal)} {s.currency}", f"VAT @ {c.tax_rate}%: {s.bare(c.tax)} {s.currency}", f"Gross: {s.bare(c.total)} {s.currency}"]
    lines += [f"Amount to be transferred: {s.bare(c.claimed_total)} {s.currency}"] if c.claimed_total else []
    return "\n".join([*lines, "", "Thanks for the swift settlement of our last bill."])


def fee_note(c: Content, s: Style) -> str:
    """A professional's letter: the whole invoice in two paragraphs."""
    parts = [f"{s.count(i.quantity)} units of {i.description} at {s.money(i.unit_price)} per unit ({s.money(i.amount)})" for i in c.items]
    claim = f" We look forward to receiving the total sum of {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"{c.seller}\n33 Inner Temple Lane\nLondon\n\nTo: {c.buyer}\n\nDate: {s.day(c.issue)}\n\nINVOICE {c.number}\n\nTo professional services rendered, "
        f"being {', '.join(parts[:-1])}{' and ' if parts[:-1] else ''}{parts[-1]}.\n\nOur fees before tax amount to {s.money(c.subtotal)}. "
        f"Tax at {c.tax_rate} per cent adds {s.money(c.tax)}, which brings the invoice total to {s.money(c.total)}. "
        f"Kindly settle this invoice no later than {s.day(c.due)}.{claim}\n\nYours faithfully\n{c.seller}"
    )


def card_reader(c: Content, s: Style) -> str:
    """A card reader's mail: count after the name, unit price in brackets."""
    lines = [c.seller, f"{s.money(c.claimed_total or c.total)}", f"{s.day(c.issue)} at 2:41 PM", f"Receipt #{c.number}", ""]
    lines += [f"{i.description} x {s.count(i.quantity)} ({s.money(i.unit_price)} ea.)     {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Purchase Subtotal     {s.money(c.subtotal)}", f"Sales Tax ({c.tax_rate}%)     {s.money(c.tax)}", f"Total     {s.money(c.total)}",
              f"Mastercard 5454 (Contactless)     {s.money(c.claimed_total or c.total)}", "Auth code: 049382"]
    lines += [f"Amount due     {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def supermarket(c: Content, s: Style) -> str:
    """Names, then count and price, then the amount at the right of the second line."""
    lines = [f"{c.seller:^40}", f"{'Unit 3 Riverside Retail Park':^40}", f"{'VAT Reg No 123 4567 89':^40}", "", f"{s.day(c.issue)}   18:22   Store 0441   Op 12", ""]
    for i in c.items:
        lines += [i.description.upper(), f"    {s.count(i.quantity)} @ {s.bare(i.unit_price)}{s.bare(i.amount):>24}"]
    lines += ["-" * 40, f"{'SUB-TOTAL':<24}{s.bare(c.subtotal):>16}", f"{f'VAT {c.tax_rate}%':<24}{s.bare(c.tax):>16}", f"{'TOTAL' if c.claimed_total else 'TOTAL TO PAY':<24}{s.money(c.total):>16}"]
    lines += [f"{'TOTAL TO PAY':<24}{s.money(c.claimed_total):>16}"] if c.claimed_total else []
    return "\n".join([*lines, f"{'VISA DEBIT SALE':<24}{s.bare(c.total):>16}", "PLEASE KEEP YOUR RECEIPT", "THANK YOU FOR SHOPPING WITH US"])


def trade_counter(c: Content, s: Style) -> str:
    """A builders' merchant: codes, columns, tax analysis."""
    lines = [f"{c.seller}", "Trade Counter Sales Receipt", f"Branch: 117    Till: 3    Ticket: {c.number}", f"Transaction date: {s.day(c.issue)} 09:12", "",
             f"{'Code':<10}{'Product':<30}{'Qty':>5}{'Price':>12}{'Value':>14}"]
    lines += [f"{48210 + n * 7:<10}{i.description:<30}{s.count(i.quantity):>5}{s.bare(i.unit_price):>12}{s.bare(i.amount):>14}" for n, i in enumerate(c.items)]
    lines += ["", f"{'Goods total':>57}{s.bare(c.subtotal):>14}", f"{'VAT':>57}{s.bare(c.tax):>14}", f"{'Receipt total':>57}{s.money(c.total):>14}"]
    lines += [f"{'Total paid by card':>57}{s.money(c.claimed_total):>14}"] if c.claimed_total else [f"{'Paid by card':>57}{s.money(c.total):>14}"]
    return "\n".join([*lines, "Returns within 28 days with this receipt"])


def restaurant(c: Content, s: Style) -> str:
    """Label and value, with the dishes numbered by count."""
    lines = ["*** CUSTOMER RECEIPT ***", c.seller, "Via Appia 4", f"Check No: {c.number}   Table: 12   Guests: 2", f"Date: {s.day(c.issue)}", "Server: Luca", ""]
    lines += [f"{s.count(i.quantity)} {i.description:<24} {s.money(i.unit_price):>12} {s.money(i.amount):>14}" for i in c.items]
    lines += ["", f"Food & drink before tax: {s.money(c.subtotal)}", f"Tax: {s.money(c.tax)}", f"Check total: {s.money(c.total)}"]
    lines += [f"TOTAL CHARGED: {s.money(c.claimed_total)}"] if c.claimed_total else [f"Visa: {s.money(c.total)}"]
    return "\n".join([*lines, "Grazie - thank you, see you soon!"])


def freelancer_tool(c: Content, s: Style) -> str:
    fees = ", ".join(f"{s.money(i.amount)} for {i.description}" for i in c.items)
    claim = f" In total the Client owes {s.money(c.claimed_total)} under this Contract." if c.claimed_total else ""
    return (
        f'DESIGN CONTRACT\n\nThis Contract is between {c.buyer} (the "Client") and {c.seller} (the "Designer").\n\n1. WORK AND PAYMENT.\n\n1.1 Project. The Client is hiring '
        f"the Designer to do design work.\n\n1.2 Schedule. The Designer will begin work on {s.day(c.start)} and must finish the work by {s.day(c.end)}. The Contract can be ended "
        f"by either party under Section 6.\n\n1.3 Payment. The Client will pay the Designer a total of {s.money(c.total)} ({fees}).{claim} The Designer will be paid within 30 days of "
        f"each invoice.\n\n2. OWNERSHIP AND LICENSES. The Client owns all work product.\n\n6. TERM AND TERMINATION. This Contract is ongoing until the work is completed."
    )


def master_services(c: Content, s: Style) -> str:
    rows = "\n".join(f"({letter}) {i.description}: {s.money(i.amount)}" for letter, i in zip("abcdefg", c.items, strict=False))
    claim = f"\n5. The aggregate contract price payable hereunder is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f'MASTER SERVICES AGREEMENT\n\nThis Master Services Agreement (this "Agreement") is entered into by and between {c.buyer}, having its principal office at 1400 Commerce Way '
        f'("Customer"), and {c.seller}, having its registered office at 6 Quai des Brumes ("Supplier"). Customer and Supplier are each a "Party".\n\nWHEREAS, Customer desires to '
        f"obtain certain services;\n\nNOW, THEREFORE, the Parties agree:\n\n1. Effectiveness. This Agreement takes effect on {s.day(c.start)}.\n\n2. Expiry. Unless renewed in writing, "
        f"this Agreement expires on {s.day(c.end)}.\n\n3. Charges. Customer shall pay the following Charges:\n{rows}\n\n4. The total Charges are {s.money(c.total)}.{claim}\n\n"
        f"6. Governing law and jurisdiction. This Agreement is governed by the law of the Supplier's seat."
    )


def purchasing_cover(c: Content, s: Style) -> str:
    lines = ["CONTRACT COVER SHEET", f"{'Contract #':<26}{c.number}", f"{'Agency (Buyer)':<26}{c.buyer}", f"{'Contractor':<26}{c.seller}", f"{'Begin Date':<26}{s.day(c.start)}",
             f"{'End Date':<26}{s.day(c.end)}", f"{'Procurement method':<26}Open tender", "", f"{'Line':<6}{'Deliverable':<34}{'Price':>16}"]
    lines += [f"{n:<6}{i.description:<34}{s.money(i.amount):>16}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"{'Total Contract Value':<40}{s.money(c.total):>16}"]
    lines += [f"{'Maximum Contract Amount':<40}{s.money(c.claimed_total):>16}"] if c.claimed_total else []
    return "\n".join([*lines, "", "Signatures of the parties on the following page."])


def agreed_terms(c: Content, s: Style) -> str:
    rows = "\n".join(f"{i.description}{s.money(i.amount):>40}" for i in c.items)
    claim = f"\n3.3 For the avoidance of doubt the total price is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"AGREEMENT FOR THE SUPPLY OF SERVICES\n\nPARTIES\n(1) {c.seller} whose registered office is at 4 Long Acre (Supplier)\n(2) {c.buyer} whose principal place of business is at "
        f"19 Dock Road (Client)\n\nAGREED TERMS\n\n1. Interpretation\n1.1 Commencement Date: {s.day(c.start)}\n1.2 Expiry Date: {s.day(c.end)}\n\n2. Supply\n2.1 The Supplier shall supply the Services "
        f"to the Client.\n\n3. Charges\n3.1 The Charges for the Services are set out below.\n{rows}\n3.2 Total Charges: {s.money(c.total)}{claim}\n\n4. This agreement is governed by the law of England."
    )


def key_facts(c: Content, s: Style) -> str:
    lines = ["Framework contract - key facts", "", "First contracting party", c.seller, "", "Second contracting party", c.buyer, "", "Contract runs from", s.day(c.start), "",
             "Contract runs until", s.day(c.end), "", "Remuneration", ""]
    lines += [f"Stage: {i.description}\nFee: {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Total remuneration: {s.money(c.total)}"]
    lines += [f"Total contract sum: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "", "Both parties have agreed to the terms overleaf."])


LAYOUTS = {
    "invoice": (bookkeeping_cloud, payment_service, desktop_accounting, small_business, plain_mail, fee_note),
    "receipt": (card_reader, supermarket, trade_counter, restaurant),
    "contract": (freelancer_tool, master_services, purchasing_cover, agreed_terms, key_facts),
}
