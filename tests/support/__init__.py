"""What tests share: real servers, a browser, ports and waiting."""
