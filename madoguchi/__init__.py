"""Madoguchi (窓口): an omnichannel contact-center hub. Start to read at :mod:`madoguchi.app`."""

__version__ = "0.1.0"
