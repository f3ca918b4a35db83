/**
 * @generated SignedSource<<c104f50302ea98dfb68c89c0c3949938>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ReaderFragment } from 'relay-runtime';
export type ContactChannelAction = "BLOCK" | "START" | "UNBLOCK" | "UPDATE_BLOCK";
export type ContactStatus = "ACTIVE" | "BLOCKED";
import type { FragmentRefs } from "relay-runtime";
export type inboxRelayLists_contact$data = {
  readonly channels: ReadonlyArray<{
    readonly activeBlock: {
      readonly id: string;
    } | null;
    readonly allowedActions: ReadonlyArray<ContactChannelAction>;
    readonly channel: {
      readonly id: string;
    };
    readonly id: string;
    readonly reachable: boolean;
  }>;
  readonly id: string;
  readonly name: string | null;
  readonly sortKey: string;
  readonly status: ContactStatus;
  readonly " $fragmentType": "inboxRelayLists_contact";
};
export type inboxRelayLists_contact$key = {
  readonly " $data"?: inboxRelayLists_contact$data;
  readonly " $fragmentSpreads": FragmentRefs<"inboxRelayLists_contact">;
};

const node: ReaderFragment = (function(){
var v0 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v1 = [
  (v0/*:: as any*/)
];
return {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": null,
  "name": "inboxRelayLists_contact",
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
      "name": "name",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "status",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "ContactChannel",
      "kind": "LinkedField",
      "name": "channels",
      "plural": true,
      "selections": [
        (v0/*:: as any*/),
        {
          "alias": null,
          "args": null,
          "kind": "ScalarField",
          "name": "reachable",
          "storageKey": null
        },
        {
          "alias": null,
          "args": null,
          "kind": "ScalarField",
          "name": "allowedActions",
          "storageKey": null
        },
        {
          "alias": null,
          "args": null,
          "concreteType": "Channel",
          "kind": "LinkedField",
          "name": "channel",
          "plural": false,
          "selections": (v1/*:: as any*/),
          "storageKey": null
        },
        {
          "alias": null,
          "args": null,
          "concreteType": "Block",
          "kind": "LinkedField",
          "name": "activeBlock",
          "plural": false,
          "selections": (v1/*:: as any*/),
          "storageKey": null
        }
      ],
      "storageKey": null
    }
  ],
  "type": "Contact",
  "abstractKey": null
};
})();

(node as any).hash = "40ae43f9a0d1afd728107ebd6533309c";

export default node;
