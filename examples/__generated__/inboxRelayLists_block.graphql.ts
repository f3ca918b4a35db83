/**
 * @generated SignedSource<<a169ad67b4925eb157c5f90d8523f987>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ReaderFragment } from 'relay-runtime';
import type { FragmentRefs } from "relay-runtime";
export type inboxRelayLists_block$data = {
  readonly active: boolean;
  readonly contactChannel: {
    readonly contact: {
      readonly id: string;
      readonly name: string | null;
    };
    readonly id: string;
  };
  readonly expiresAt: string | null;
  readonly id: string;
  readonly notes: string | null;
  readonly sortKey: string;
  readonly suppressedMessageCount: number;
  readonly " $fragmentType": "inboxRelayLists_block";
};
export type inboxRelayLists_block$key = {
  readonly " $data"?: inboxRelayLists_block$data;
  readonly " $fragmentSpreads": FragmentRefs<"inboxRelayLists_block">;
};

const node: ReaderFragment = (function(){
var v0 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
};
return {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": null,
  "name": "inboxRelayLists_block",
  "selections": [
    (v0/*:: as any*/),
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "sortKey",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "active",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "notes",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "expiresAt",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "suppressedMessageCount",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "ContactChannel",
      "kind": "LinkedField",
      "name": "contactChannel",
      "plural": false,
      "selections": [
        (v0/*:: as any*/),
        {
          "alias": null,
          "args": null,
          "concreteType": "Contact",
          "kind": "LinkedField",
          "name": "contact",
          "plural": false,
          "selections": [
            (v0/*:: as any*/),
            {
              "alias": null,
              "args": null,
              "kind": "ScalarField",
              "name": "name",
              "storageKey": null
            }
          ],
          "storageKey": null
        }
      ],
      "storageKey": null
    }
  ],
  "type": "Block",
  "abstractKey": null
};
})();

(node as any).hash = "e334dae185cece8b4d61a2aa21cdfed9";

export default node;
