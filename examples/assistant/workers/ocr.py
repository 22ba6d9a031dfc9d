#!/usr/bin/python3
"""ocr: the text in a picture (Tesseract)."""

import base64
import io

from base import Worker, serve

import tesserocr
from PIL import Image, ImageDraw


class Ocr(Worker):
    def load(self):
        self.api = tesserocr.PyTessBaseAPI(lang="eng", psm=tesserocr.PSM.SINGLE_BLOCK)
        picture = Image.new("L", (200, 40), 255)
        ImageDraw.Draw(picture).text((10, 10), "a warm start", fill=0)
        self.read(picture)

    def read(self, picture):
        self.api.SetImage(picture)
        text = self.api.GetUTF8Text()
        self.api.Clear()
        return text

    def run(self, request):
        picture = Image.open(io.BytesIO(base64.b64decode(request["picture"]))).convert("L")
        box = picture.point(lambda value: 255 if value > 200 else 0).getbbox()
        text = self.read(picture.crop(box) if box else picture)
        return {"lines": [" ".join(line.split()) for line in text.splitlines() if line.strip()]}


serve(Ocr())
