"""How this room's refusals are answered over REST."""

from madoguchi.conversations.acts import Refusal
from madoguchi.http.problems import Problem, register

register(Refusal, lambda e: Problem(409, e.code, str(e), **e.facts))
