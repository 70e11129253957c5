"""Order numbers, invoices, waybills: slots moved into a house form."""

from kinds.numbers import Money, Number
from kinds.skill import Skill
from kinds.text import Choice, Code, Name, Word

from .domain import FIRSTS, LASTS, Domain

TOWNS = """Alder Brisk Calden Dravik Elmira Fosse Grenby Holt Isker Jorvan Kestrel Lindow Marsk Norvel Oster Pellan
Quarne Rusk Selby Torvald Umber Vexley Wendel Yarrow Zennor""".split()
DEPOTS = {town: {"code": town[:2].upper()} for town in TOWNS[:20]}


def domains() -> list[Domain]:
    order, units, town = Number(1000, 9999), Number(2, 99), Word(TOWNS)
    return [make(*row) for row in [
        ("northwind-order-codes", "Order codes of Northwind Tools", {"a": order, "b": units, "c": town},
         ("Order {a} for {c}, {b} pieces", "{b} pieces to {c}, order {a}", "Please ship order {a} to {c}: {b} pieces."), "NT-{a}/{c}x{b}"),
        ("calder-invoices", "Invoice numbers of Calder and Sons", {"a": order, "b": Money(400)},
         ("Invoice {a} over {b}", "Bill number {a}, amount {b}", "We owe {b} on invoice {a}."), "CS#{a} = {b_whole} cr {b_cents}"),
        ("waybill-lines", "Waybills of the Pellan river line", {"a": Code("AA-99"), "b": town, "c": Word(TOWNS[::-1])},
         ("Barge {a} from {b} to {c}", "{a} sails from {b} for {c}", "From {b} to {c} with barge {a}."), "{a}|{b}>{c}|RIVER"),
        ("parcel-depots", "Parcel tags by depot", {"a": order, "b": Choice(DEPOTS)},
         ("Parcel {a} goes to {b}", "Tag for parcel {a}, depot {b}", "{b} depot, parcel {a}"), "{b_code}.{a}.PX"),
        ("serial-plates", "Serial plates for pumps", {"a": Number(1, 999, 4), "b": Code("A9")},
         ("Pump type {b}, number {a}", "Plate for number {a} of type {b}", "Type {b} pump, serial {a}"), "SN:{a_wide}-{b}-OK"),
        ("refund-slips", "Refund slips of Mirabel Shoes", {"a": Money(200), "b": Name(FIRSTS, LASTS)},
         ("Refund {a} to {b}", "{b} gets {a} back", "Give {b} a refund of {a}."), "RF[{b_last}] -{a}"),
        ("library-loans", "Loan cards of the Osk library", {"a": Code("A99"), "b": Name(FIRSTS, LASTS), "c": Number(5, 40)},
         ("{b} borrows {a} for {c} days", "Book {a}, reader {b}, {c} days", "Lend {a} to {b} for {c} days."), "{a}:{b_last}+{c}d"),
        ("wine-cellar-bins", "Bins in the cellar of the Varro estate", {"a": Number(1950, 2030), "b": Number(1, 60), "c": Word(TOWNS)},
         ("{b} bottles of {c} {a}", "{c} from {a}, {b} bottles", "Store {b} bottles of the {a} {c}."), "bin {c}:{a} ({b})"),
    ]]


def make(name: str, description: str, slots: dict, asks: tuple[str, ...], answer: str) -> Domain:
    return Domain(name, description, "orders", Skill(slots, asks, answer))
