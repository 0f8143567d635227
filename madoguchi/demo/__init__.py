"""The demo company: shop, telephone, a fake of Twilio's API. Run by ``madoguchi demo`` only."""
